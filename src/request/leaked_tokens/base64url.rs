//! base64 as it is decoded here: byte by byte where most texts are none after a few, whole where
//! they are.

use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

/// Takes what tokens come with in practice: spare bits.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);

/// Decodes a part of a JWT.
pub(super) fn decode(part: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    LENIENT.decode(part).ok().map(Zeroizing::new)
}

/// What the beginning of a text stands for, up to where it is no base64url. Of a JWT in base64
/// this is all: such a text has only letters and digits, which all alphabets share.
pub(super) fn decoded(text: &[u8]) -> impl Iterator<Item = u8> {
    let (mut bits, mut held) = (0u32, 0);
    text.iter().map_while(|byte| digit(*byte)).filter_map(move |digit| {
        bits = bits << 6 | digit;
        held += 6;
        held = if held < 8 { return None } else { held - 8 };
        Some((bits >> held) as u8)
    })
}

/// How many bytes at the beginning are base64url.
pub(super) fn length(text: &[u8]) -> usize {
    text.iter().position(|byte| !is_digit(*byte)).unwrap_or(text.len())
}

/// Whether a byte may stand in base64url.
pub(super) fn is_digit(byte: u8) -> bool {
    digit(byte).is_some()
}

/// What a digit stands for. Called for every byte of a word, so from a table.
fn digit(byte: u8) -> Option<u32> {
    let value = *VALUES.get(usize::from(byte))?;
    (value != NONE).then_some(value.into())
}

const NONE: u8 = u8::MAX;
#[expect(clippy::indexing_slicing, reason = "the compiler evaluates it")]
static VALUES: [u8; 256] = {
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut values = [NONE; 256];
    let mut value = 0;
    while value < digits.len() {
        values[digits[value] as usize] = value as u8;
        value += 1;
    }
    values
};
