//! TLS, in place of ureq's own link, which was tried and failed: if a server sends a second answer that
//! nobody asked for, it keeps the decrypted bytes and takes them for the next answer. In that trial 100
//! targets that Ably had refused were reported as revoked. Here `is_open` looks for such bytes. This
//! link also marks when a request leaves, and adds an issuer's name to the errors of rustls.

use std::cell::Cell;
use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, KeyProvider, ring};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::sign::SigningKey;
use rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, Error as TlsError,
    OtherError, RootCertStore, SignatureScheme, StreamOwned,
};
use ureq::Error;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport, TransportAdapter,
};

use crate::net::certificate::issuer;
use crate::net::error::{At, NetError, Retry};
use crate::net::tunnel::{is_hop, time_left};
use crate::signals::Signals;

thread_local! {
    /// Whether the request of this thread may have left, the difference between a target that was not
    /// sent and one whose outcome is unknown. ureq does not tell, but runs an exchange on the thread
    /// that asks for it. A handshake and the talk with a proxy do not count.
    pub(crate) static SENT: Cell<bool> = const { Cell::new(false) };
}

/// Adds TLS to connections for `https://`, 1.2 or newer, with certificates verified.
#[derive(Debug)]
pub(crate) struct Tls {
    pub(crate) config: Result<Arc<ClientConfig>, TlsError>,
    pub(crate) signals: Signals,
}

pub(crate) fn config(roots: RootCertStore) -> Result<Arc<ClientConfig>, TlsError> {
    let provider = CryptoProvider { key_provider: &NoKeys, ..ring::default_provider() };
    let provider = Arc::new(provider);
    let verifier =
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .build()
            .map_err(|error| TlsError::General(error.to_string()))?;
    // rustls calls any custom verifier dangerous; this one asks rustls' own.
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
        .dangerous();
    let verifier = Arc::new(Verifier(verifier));
    Ok(builder.with_custom_certificate_verifier(verifier).with_no_client_auth().into())
}

impl<In: Transport> Connector<In> for Tls {
    type Out = Box<dyn Transport>;

    fn connect(
        &self,
        details: &ConnectionDetails,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        let Some(inner) = chained else {
            return Ok(None);
        };
        if !details.needs_tls() {
            return Ok(Some(Box::new(inner)));
        }
        let host = details.uri.host().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(host).map_err(|_| Error::Tls("not a host name"))?;
        let mut conn = ClientConnection::new(self.config.clone()?, name)?;
        let mut sock = TransportAdapter::new(inner, details.current_time.clone());
        // From here on the adapter counts down by itself.
        sock.set_timeout(time_left(details));
        conn.complete_io(&mut sock).map_err(|error| match error.into() {
            Error::Timeout(_) => {
                let what = "took the connection but answered nothing in TLS in time";
                NetError::new(At::Host, what, "", Retry::SameHost).into()
            }
            error => error,
        })?;
        let (input, output) =
            (details.config.input_buffer_size(), details.config.output_buffer_size());
        Ok(Some(Box::new(Secured {
            buffers: LazyBuffers::new(input, output),
            signals: (!is_hop(details)).then(|| self.signals.clone()),
            stream: StreamOwned { conn, sock },
        })))
    }
}

struct Secured<In: Transport> {
    buffers: LazyBuffers,
    /// `None` on a connection to a proxy.
    signals: Option<Signals>,
    stream: StreamOwned<ClientConnection, TransportAdapter<In>>,
}

impl<In: Transport> fmt::Debug for Secured<In> {
    /// Without the buffers: they hold the Authorization header.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.stream.sock.inner().fmt(f)
    }
}

impl<In: Transport> Transport for Secured<In> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        if let Some(signals) = &self.signals {
            // After a signal no request begins; one that has begun is finished.
            if !SENT.get() && signals.caught().is_some() {
                return Err(io::Error::from(ErrorKind::Interrupted).into());
            }
            SENT.set(true);
        }
        self.stream.sock.set_timeout(timeout);
        self.stream.write_all(self.buffers.output().get(..amount).unwrap_or_default())?;
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.stream.sock.set_timeout(timeout);
        let amount = self.stream.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    /// Also whether no bytes have come that nobody asked for: decrypted, encrypted or on the wire.
    fn is_open(&mut self) -> bool {
        let StreamOwned { conn, sock } = &mut self.stream;
        let idle = conn
            .process_new_packets()
            .is_ok_and(|state| state.plaintext_bytes_to_read() == 0 && !state.peer_has_closed());
        let below = sock.get_mut();
        idle && below.buffers().input().is_empty() && below.is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}

/// Reads no key of a client certificate, of which there is none: 40 KB of signing stay out of the binary.
#[derive(Debug)]
struct NoKeys;

impl KeyProvider for NoKeys {
    fn load_private_key(&self, _: PrivateKeyDer<'static>) -> Result<Arc<dyn SigningKey>, TlsError> {
        Err(TlsError::General("no client certificate is used".to_owned()))
    }
}

/// rustls' own verifier, which names the issuer that it does not know.
#[derive(Debug)]
struct Verifier(Arc<WebPkiServerVerifier>);

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let verdict =
            self.0.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        verdict.map_err(|error| match (&error, issuer(end_entity, intermediates)) {
            (TlsError::InvalidCertificate(CertificateError::UnknownIssuer), Some(issuer)) => {
                let issuer: Box<dyn std::error::Error + Send + Sync> = issuer.into();
                CertificateError::Other(OtherError(issuer.into())).into()
            }
            _ => error,
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.0.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.0.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}
