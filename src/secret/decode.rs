//! Undoes what a text may be wrapped in, a layer at a time, and remembers where each byte came
//! from: a secret is looked for in what a text means, and taken out of it as it stands.

/// Longest tag, entity or escape that is undone, in bytes.
const LONGEST: usize = 64;
const ENTITIES: [(&[u8], u8); 12] = [
    (b"amp", b'&'),
    (b"lt", b'<'),
    (b"gt", b'>'),
    (b"quot", b'"'),
    (b"apos", b'\''),
    (b"colon", b':'),
    (b"period", b'.'),
    (b"plus", b'+'),
    (b"sol", b'/'),
    (b"equals", b'='),
    (b"lowbar", b'_'),
    (b"num", b'#'),
];

/// A byte of a text's meaning, and the characters of the text that stand for it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unit {
    pub(crate) byte: u8,
    pub(crate) from: usize,
    pub(crate) to: usize,
}

/// A text as it stands.
pub(crate) fn units(text: &str) -> Vec<Unit> {
    let mut units = Vec::with_capacity(text.len());
    for (from, c) in text.char_indices() {
        let to = from + c.len_utf8();
        let mut bytes = [0; 4];
        let bytes = c.encode_utf8(&mut bytes).bytes();
        units.extend(bytes.map(|byte| Unit { byte, from, to }));
    }
    units
}

/// Whether a byte may begin what `undo` undoes.
#[inline]
pub(crate) fn is_sign(byte: u8) -> bool {
    matches!(byte, b'%' | b'&' | b'\\' | b'<' | b'=')
}

/// Undoes one layer of percent-encoding, JSON escapes, HTML entities and tags, and soft line
/// breaks.
pub(crate) fn undo(units: &[Unit]) -> Vec<Unit> {
    let mut out = Vec::with_capacity(units.len());
    let mut rest = units;
    while let [first, after @ ..] = rest {
        let mut head = [0; LONGEST];
        let length = if is_sign(first.byte) { fill(&mut head, after) } else { 0 };
        let head = head.get(..length).unwrap_or_default();
        let (meant, used) = match first.byte {
            b'%' => percent(head),
            b'\\' => escape(head),
            b'&' => entity(head),
            b'<' => tag(head),
            b'=' => soft_break(head),
            _ => None,
        }
        .unwrap_or((Meant::one(first.byte), 0));
        let to = used.checked_sub(1).and_then(|last| after.get(last)).map_or(first.to, |u| u.to);
        let bytes = meant.0.iter().take(meant.1);
        out.extend(bytes.map(|byte| Unit { byte: *byte, from: first.from, to }));
        rest = after.get(used..).unwrap_or_default();
    }
    out
}

/// Up to four bytes.
struct Meant([u8; 4], usize);

impl Meant {
    const NOTHING: Self = Self([0; 4], 0);

    fn one(byte: u8) -> Self {
        Self([byte, 0, 0, 0], 1)
    }

    fn of(code: u32) -> Option<Self> {
        let mut bytes = [0; 4];
        let length = char::from_u32(code)?.encode_utf8(&mut bytes).len();
        Some(Self(bytes, length))
    }
}

fn fill(head: &mut [u8; LONGEST], after: &[Unit]) -> usize {
    let pairs = head.iter_mut().zip(after);
    pairs.map(|(slot, unit)| *slot = unit.byte).count()
}

fn hex(digits: &[u8]) -> Option<u32> {
    let digits = str::from_utf8(digits).ok()?;
    let all = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit());
    u32::from_str_radix(digits, 16).ok().filter(|_| all)
}

fn byte(digits: &[u8]) -> Option<Meant> {
    hex(digits).and_then(|code| u8::try_from(code).ok()).map(Meant::one)
}

fn percent(head: &[u8]) -> Option<(Meant, usize)> {
    byte(head.get(..2)?).map(|meant| (meant, 2))
}

fn escape(head: &[u8]) -> Option<(Meant, usize)> {
    Some(match head.first()? {
        b'u' => {
            let code = hex(head.get(1..5)?)?;
            let pair = || {
                let low = head.get(5..11)?.strip_prefix(b"\\u").and_then(hex)?;
                let (high, low) = (code.checked_sub(0xd800)?, low.checked_sub(0xdc00)?);
                (high < 0x400 && low < 0x400).then(|| Meant::of(0x10000 + (high << 10) + low))?
            };
            match pair() {
                Some(meant) => (meant, 11),
                None => (Meant::of(code)?, 5),
            }
        }
        b'x' => (byte(head.get(1..3)?)?, 3),
        b'n' | b'r' | b't' | b'b' | b'f' => (Meant::one(b' '), 1),
        own => (Meant::one(*own), 1),
    })
}

fn entity(head: &[u8]) -> Option<(Meant, usize)> {
    if let Some(number) = head.strip_prefix(b"#") {
        let (digits, radix, mark) = match number.first()? {
            b'x' | b'X' => (number.get(1..)?, 16, 2),
            _ => (number, 10, 1),
        };
        let is_digit = |byte: &&u8| char::from(**byte).is_digit(radix);
        let length = digits.iter().take_while(is_digit).count();
        let code = str::from_utf8(digits.get(..length)?).ok()?;
        let meant = Meant::of(u32::from_str_radix(code, radix).ok()?)?;
        let semicolon = usize::from(digits.get(length) == Some(&b';'));
        return Some((meant, mark + length + semicolon));
    }
    ENTITIES.iter().find_map(|(name, byte)| {
        let semicolon = head.strip_prefix(*name)?.first() == Some(&b';');
        semicolon.then(|| (Meant::one(*byte), name.len() + 1))
    })
}

/// Tags go without a trace: `<wbr>` may stand anywhere in a long word.
fn tag(head: &[u8]) -> Option<(Meant, usize)> {
    let begins = head.first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'/');
    let end = head.iter().position(|byte| matches!(byte, b'<' | b'>')).filter(|_| begins)?;
    (head.get(end) == Some(&b'>')).then_some((Meant::NOTHING, end + 1))
}

/// As quoted-printable has them.
fn soft_break(head: &[u8]) -> Option<(Meant, usize)> {
    match head {
        [b'\r', b'\n', ..] => Some((Meant::NOTHING, 2)),
        [b'\n', ..] => Some((Meant::NOTHING, 1)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wrapping_is_undone_and_what_is_none_stays() {
        for (text, meant) in [
            ("a%41%2fb", "aA/b"),
            (r"a\u0041\x42\/\\\n", r"aAB/\ "),
            (r"\ud83d\ude00 \ud83d", "😀 \\ud83d"),
            ("&#65;&#x42;&#67D&amp;&lt;&colon;", "ABCD&<:"),
            ("a<wbr>b</b>c<br/>d=\r\ne=\nf", "abcdef"),
            ("100% & <3 a=b %zz &#; &nope; \\", "100% & <3 a=b %zz &#; &nope; \\"),
            ("é%C3%A9&#xe9;", "ééé"),
        ] {
            let bytes = undo(&units(text)).iter().map(|unit| unit.byte).collect();
            assert_eq!(String::from_utf8(bytes).unwrap(), meant, "{text}");
        }
    }
}
