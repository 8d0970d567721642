//! Why a lock cannot be told of, in a few words.

use lockattr_runtime::LockError;

/// For a cell of the table. `state` says it at length.
pub(super) fn in_short(error: &LockError) -> String {
    match error {
        LockError::Denied { uid, mode, .. } => {
            format!("no permission: user {uid}'s, mode {mode:04o}")
        }
        LockError::Untrusted { uid, .. } => format!("not shared: user {uid}'s"),
        LockError::Damaged { bytes, .. } => format!("damaged: has {bytes} bytes"),
        LockError::OtherWordSize { .. } => "of another word size".to_owned(),
        LockError::OtherNamespace { .. } => "held in another network namespace".to_owned(),
        LockError::Overposted { units, .. } => format!("has {units} units"),
        LockError::Io { source, .. } => source.kind().to_string(),
        LockError::BackendMismatch { .. } => "in use under another backend".to_owned(),
        _ => "see `lockattr state`".to_owned(),
    }
}
