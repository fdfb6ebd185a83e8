// Ably's own SDK against the tests' stand-in: what it makes of each answer, a line of JSON each.
// Arguments: the stand-in's port, two keys that can revoke, one that cannot, a client's JWT.
'use strict';
const Ably = require('ably');

const [port, key, other, irrevocable, jwt] = process.argv.slice(2);
const place = {
  endpoint: 'localhost',
  tlsPort: Number(port),
  useBinaryProtocol: false,
  logLevel: 0,
};
const rest = (auth) => new Ably.Rest({ ...place, ...auth });
const client = (value) => ({ type: 'clientId', value });
const kinds = [client('carol'), { type: 'revocationKey', value: 'group1' }, { type: 'channel', value: 'foo:bar' }];

/** Asks with a token. The SDK would renew a dead one, and names what was wrong in its log alone. */
async function history(auth) {
  const log = [];
  const told = { logLevel: 4, logHandler: (message) => log.push(message) };
  try {
    return (await rest({ ...auth, ...told }).channels.get('news').history()).items.length;
  } catch (error) {
    error.cause ??= { code: log.find((line) => line.includes('Received Error')) ?? log };
    throw error;
  }
}

/** What came of it: the value, or code and status of the error, and of what is behind it. */
async function tell(name, attempt) {
  let told;
  try {
    told = { value: await attempt() };
  } catch (error) {
    const codes = [];
    for (let at = error; at; at = at.cause) codes.push(at.code ?? String(at));
    told = { codes, status: error.statusCode, message: error.message };
  }
  console.log(JSON.stringify({ name, ...told }));
}

async function main() {
  const admin = rest({ key });
  const revoke = (targets, options) => admin.auth.revokeTokens(targets, options);
  const hundred = Array.from({ length: 100 }, (_, number) => client(`user${number}`));
  await tell('time', () => admin.time());
  await tell('one', () => revoke([client('alice')]));
  await tell('margin', () => revoke([client('bob')], { issuedBefore: Date.now() - 600000, allowReauthMargin: true }));
  await tell('hundred', () => revoke(hundred));
  await tell('kinds', () => revoke(kinds));
  await tell('mixed', () => revoke([client('dave'), client('refused'), { type: 'nobodysKind', value: 'x' }]));
  await tell('too many', () => revoke([...hundred, client('one-more')]));
  await tell('irrevocable', () => rest({ key: irrevocable }).auth.revokeTokens([client('alice')]));
  await tell('wrong secret', () => rest({ key: `${key}x` }).auth.revokeTokens([client('alice')]));

  await tell('a JWT lives', () => history({ token: jwt }));
  await tell('its revocation', () => revoke([client('erin')]));
  await tell('a JWT is dead', () => history({ token: jwt }));

  const { token } = await rest({ key: other }).auth.requestToken({ clientId: 'frank' });
  await tell('an Ably token lives', () => history({ token }));
  await tell('with another key', () => revoke([client('frank')]));
  await tell('an Ably token still lives', () => history({ token }));
  await tell('with its own key', () => rest({ key: other }).auth.revokeTokens([client('frank')]));
  await tell('an Ably token is dead', () => history({ token }));
}

main().catch((error) => {
  console.log(JSON.stringify({ name: 'the script', message: String(error) }));
  process.exitCode = 1;
});
