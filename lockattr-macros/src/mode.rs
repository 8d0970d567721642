//! The option `mode`.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::{Error, Lit, LitInt, Result};

/// Who may use a semaphore, as `chmod(2)` has it: its owner in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mode(u32);

impl Mode {
    const OWNER: u32 = 0o600;
    const OTHERS: u32 = 0o066;
    const EXAMPLE: Self = Self(0o660);
    const ACCEPTED: &'static str = "mode is an octal number: `0o600` for the semaphore's owner, \
         with any bits of `0o060` for its group and of `0o006` for all others";

    pub(crate) fn from_literal(literal: &Lit) -> Result<Self> {
        match literal {
            Lit::Int(number) => Self::from_number(number),
            Lit::Str(text) => {
                let bits = octal(text.value().trim_start_matches("0o"));
                Err(Self::expected(text.span(), bits.and_then(Self::from_bits)))
            }
            other => Err(Self::expected(other.span(), None)),
        }
    }

    /// Octal numbers alone: who writes 400 does not mean its bits, `0o620`.
    fn from_number(number: &LitInt) -> Result<Self> {
        let written = number.to_string();
        let is_octal = written.starts_with("0o");
        let bits = if is_octal || written.starts_with("0x") || written.starts_with("0b") {
            number.base10_parse().ok()
        } else {
            octal(number.base10_digits())
        };
        let mode = bits.and_then(Self::from_bits);
        if let Some(mode) = mode.filter(|_| is_octal && number.suffix().is_empty()) {
            return Ok(mode);
        }
        let nearest = bits.filter(|_| is_octal).map(|bits| Self(Self::OWNER | bits & Self::OTHERS));
        let meant = mode.or(nearest);
        let hint =
            meant.map_or("a".to_owned(), |Self(meant)| format!("did you mean `{meant:#o}`? A"));
        let message = format!("not a semaphore's mode; {hint} {}", Self::ACCEPTED);
        Err(Error::new(number.span(), message))
    }

    /// The error where no number stands.
    pub(crate) fn expected(span: Span, meant: Option<Self>) -> Error {
        let Self(example) = meant.unwrap_or(Self::EXAMPLE);
        let expected = format!("expected an integer literal such as `{example:#o}`");
        Error::new(span, format!("{expected}; a {}", Self::ACCEPTED))
    }

    /// The rule of the runtime's `Kind::mode`.
    fn from_bits(bits: u32) -> Option<Self> {
        let is_valid =
            bits & Self::OWNER == Self::OWNER && bits & !(Self::OWNER | Self::OTHERS) == 0;
        is_valid.then_some(Self(bits))
    }
}

/// As `chmod(1)` reads it: `660`, `0660`.
fn octal(digits: &str) -> Option<u32> {
    u32::from_str_radix(digits, 8).ok()
}

impl ToTokens for Mode {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        LitInt::new(&format!("{:#o}u32", self.0), Span::mixed_site()).to_tokens(tokens);
    }
}

#[cfg(test)]
mod tests {
    use lockattr_runtime::Lock;

    use super::*;

    fn read(literal: &str) -> std::result::Result<u32, String> {
        let literal = syn::parse_str(literal).unwrap();
        Mode::from_literal(&literal).map(|mode| mode.0).map_err(|error| error.to_string())
    }

    #[test]
    fn its_owner_can_use_a_semaphore_and_nobody_can_execute_it() {
        for bits in 0..=0o7777 {
            let is_valid = bits & 0o600 == 0o600 && bits & !0o666 == 0;
            assert_eq!(read(&format!("{bits:#o}")).ok(), is_valid.then_some(bits), "{bits:#o}");
            if is_valid {
                // It panics where the runtime has another opinion.
                let _: Lock = Lock::semaphore("i2c-1").mode(bits);
            }
        }
        assert_eq!(read("0o6_60"), Ok(0o660));
    }

    #[test]
    fn the_message_has_the_mode_that_was_meant() {
        for (written, meant) in [
            ("660", "did you mean `0o660`? A mode is"),
            ("0640", "did you mean `0o640`? A mode is"),
            ("0o660u32", "did you mean `0o660`? A mode is"),
            ("666i32", "did you mean `0o666`? A mode is"),
            ("0x1b0", "did you mean `0o660`? A mode is"),
            ("0b1_1011_0000", "did you mean `0o660`? A mode is"),
            ("0o755", "did you mean `0o644`? A mode is"),
            ("0o1666", "did you mean `0o666`? A mode is"),
            ("0o060", "did you mean `0o660`? A mode is"),
            ("0o0", "did you mean `0o600`? A mode is"),
            // In octal no mode; and as the number that it is, 0o620, meant by nobody.
            ("400", "not a semaphore's mode; a mode is"),
            ("432", "not a semaphore's mode; a mode is"),
            ("0x660", "not a semaphore's mode; a mode is"),
            ("-0o660", "not a semaphore's mode; a mode is"),
            ("99999999999999999999999999999999999999999", "not a semaphore's mode; a mode is"),
            ("\"0640\"", "expected an integer literal such as `0o640`; a mode is"),
            ("\"0o666\"", "expected an integer literal such as `0o666`; a mode is"),
            ("\"rw-rw----\"", "expected an integer literal such as `0o660`; a mode is"),
            ("660.0", "expected an integer literal such as `0o660`; a mode is"),
        ] {
            let message = read(written).unwrap_err();
            assert!(message.contains(meant), "{written}: {message}");
        }
    }
}
