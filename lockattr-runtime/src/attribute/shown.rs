//! How a captured value shows in a name: as its `Display` does, and a path to a file, which has none, as the
//! text that it is.
//!
//! `(&&Shown(&value)).shown()` finds the first of the three traits that the value's type has, as methods are
//! looked up: by as few `*` as can be.

use std::fmt;
use std::path::Path;

/// A value that a name captures.
pub struct Shown<'a, T: ?Sized>(pub &'a T);

impl<T: ?Sized> Clone for Shown<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: ?Sized> Copy for Shown<'_, T> {}

/// A value with a `Display`.
pub trait ByDisplay<'a> {
    /// The value's type.
    type Value: ?Sized;
    /// The value.
    fn shown(&self) -> &'a Self::Value;
}

impl<'a, T: fmt::Display + ?Sized> ByDisplay<'a> for &Shown<'a, T> {
    type Value = T;

    #[inline]
    fn shown(&self) -> &'a T {
        self.0
    }
}

/// A path to a file.
pub trait ByPath<'a> {
    /// What shows it.
    fn shown(&self) -> PathText<'a>;
}

impl<'a, T: AsRef<Path> + ?Sized> ByPath<'a> for Shown<'a, T> {
    fn shown(&self) -> PathText<'a> {
        PathText(self.0.as_ref())
    }
}

/// Any other value: rustc then says that it has no `Display`.
pub trait ByNothing<'a> {
    /// The value's type.
    type Value: ?Sized;
    /// The value.
    fn shown(self) -> &'a Self::Value;
}

impl<'a, T: ?Sized> ByNothing<'a> for Shown<'a, T> {
    type Value = T;

    fn shown(self) -> &'a T {
        self.0
    }
}

/// A path as it is, where it is UTF-8. Any other is written by nothing: what is left out or replaced could
/// make two paths one.
#[derive(Clone, Copy)]
pub struct PathText<'a>(&'a Path);

impl fmt::Display for PathText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.to_str().ok_or(fmt::Error)?)
    }
}

#[cfg(test)]
#[allow(clippy::needless_borrow, clippy::implicit_clone)] // written as the expansion writes it
mod tests {
    use std::ffi::OsString;
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn each_value_shows_in_its_way() {
        fn generic<T: fmt::Display>(value: T) -> String {
            (&&Shown(&value)).shown().to_string()
        }
        fn some_path(value: impl AsRef<Path>) -> String {
            (&&Shown(&value)).shown().to_string()
        }
        let (path, owned) = (Path::new("/dev/i2c-1"), OsString::from("tty"));
        assert_eq!((&&Shown(&7)).shown().to_string(), "7");
        assert_eq!((&&Shown("text")).shown().to_string(), "text");
        assert_eq!((&&Shown(&String::from("text"))).shown().to_string(), "text");
        assert_eq!((&&Shown(path)).shown().to_string(), "/dev/i2c-1");
        assert_eq!((&&Shown(&path)).shown().to_string(), "/dev/i2c-1");
        assert_eq!((&&Shown(&PathBuf::from("a"))).shown().to_string(), "a");
        assert_eq!((&&Shown(&owned)).shown().to_string(), "tty");
        assert_eq!((&&Shown(&Box::<Path>::from(path))).shown().to_string(), "/dev/i2c-1");
        assert_eq!((generic(7), some_path("a")), ("7".to_owned(), "a".to_owned()));
    }

    #[test]
    #[cfg(unix)]
    fn a_path_that_is_no_text_cannot_be_written() {
        use std::ffi::OsStr;
        use std::fmt::Write as _;
        use std::os::unix::ffi::OsStrExt as _;
        let path = OsStr::from_bytes(b"a\xff");
        assert!(write!(String::new(), "{}", (&&Shown(path)).shown()).is_err());
    }
}
