//! The errors that are told apart (errno(3)).

pub(crate) use nix::libc::{
    EACCES, EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT, EAGAIN, EBADF, EDEADLK, EINPROGRESS, EINTR,
    EMFILE, ENFILE, ENOBUFS, ENOMEM, ENOTCONN, EPERM,
};
