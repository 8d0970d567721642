//! stub
#![allow(missing_docs, clippy::all, clippy::pedantic)]
use crate::*;
use std::{fmt, time::Duration};
pub struct Lock(&'static str);
#[must_use = "dropping the guard gives the lock back"]
pub struct LockGuard(());
impl Drop for LockGuard { fn drop(&mut self) {} }
impl Lock {
    pub const fn port(name: &'static str) -> Self { crate::name::assert_valid(name, Backend::Port); Lock(name) }
    pub fn open(_backend: Backend, _name: &str) -> Result<Self, LockError> { Ok(Lock("x")) }
    #[track_caller]
    pub fn acquire(&self, timeout: Duration) -> Result<LockGuard, LockError> { self.acquire_for(timeout, &std::panic::Location::caller()) }
    #[track_caller]
    pub fn try_acquire(&self) -> Result<LockGuard, LockError> { self.acquire(Duration::ZERO) }
    pub fn acquire_with_info(&self, timeout: Duration, info: &str) -> Result<LockGuard, LockError> { self.acquire_for(timeout, &info) }
    pub fn is_locked(&self) -> Result<bool, LockError> { let _ = self.0; Ok(false) }
    pub fn holder(&self) -> Result<Option<Holder>, LockError> { Ok(None) }
    pub fn last_holder(&self) -> Result<Option<Holder>, LockError> { Ok(None) }
    pub(crate) fn acquire_for(&self, _timeout: Duration, _info: &dyn fmt::Display) -> Result<LockGuard, LockError> { Ok(LockGuard(())) }
}
