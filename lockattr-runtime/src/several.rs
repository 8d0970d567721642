//! Several locks at once.

use std::array;
#[cfg(feature = "async")]
use std::future::Future;
use std::slice;
use std::sync::Arc;

use crate::deadline::Deadline;
use crate::device::{Device, Joins};
use crate::error::LockError;
use crate::guard::LockGuard;
use crate::request::Request;
use crate::state::State;
use crate::tell;

/// A lock as this process has it.
#[derive(Debug)]
pub struct Handle {
    pub(crate) state: Arc<State>,
    /// That of a device.
    pub(crate) device: Option<Box<Device>>,
}

/// One lock or several, to be taken together.
pub trait Handles: Sized + Send {
    /// One for each.
    type Guards;

    /// Has the conventions of others taken, too.
    fn join(&mut self, joins: Joins<'_>) -> Result<(), LockError> {
        join(self.each_mut(), joins)
    }

    /// One after the other.
    fn each_mut(&mut self) -> &mut [Handle];

    /// All, or none.
    fn take(self, request: &Request<'_>) -> Result<Self::Guards, LockError>;

    /// As [`take`](Self::take), without blocking the thread.
    #[cfg(feature = "async")]
    fn take_async(
        self,
        request: Request<'_>,
    ) -> impl Future<Output = Result<Self::Guards, LockError>> + Send;
}

impl Handle {
    #[inline]
    pub(crate) fn new(state: Arc<State>) -> Self {
        Self { state, device: None }
    }

    /// Apart from [`take`](Handles::take): a guard that is looked at would be moved about for the others, too.
    #[cold]
    fn take_apart(self, request: &Request<'_>) -> Result<LockGuard, LockError> {
        let taken = self.acquire(request, request.deadline());
        if tell::is_heard() {
            tell::outcome(&taken);
        }
        taken
    }

    fn acquire(
        &self,
        request: &Request<'_>,
        deadline: Deadline<'_>,
    ) -> Result<LockGuard, LockError> {
        let state = Arc::clone(&self.state);
        match &self.device {
            Some(device) => LockGuard::acquire_device(state, device, request, deadline),
            None => LockGuard::acquire(state, request, deadline),
        }
    }
}

impl Handles for Handle {
    type Guards = LockGuard;

    fn each_mut(&mut self) -> &mut [Handle] {
        slice::from_mut(self)
    }

    fn take(self, request: &Request<'_>) -> Result<LockGuard, LockError> {
        if tell::is_heard() || self.device.is_some() {
            return self.take_apart(request);
        }
        LockGuard::acquire(self.state, request, request.deadline())
    }

    #[cfg(feature = "async")]
    async fn take_async(self, request: Request<'_>) -> Result<LockGuard, LockError> {
        let Self { state, device } = self;
        let deadline = request.deadline();
        let taken = LockGuard::acquire_async(state, device.as_deref(), &request, deadline).await;
        if tell::is_heard() {
            tell::outcome(&taken);
        }
        taken
    }
}

impl<const N: usize> Handles for [Handle; N] {
    type Guards = [LockGuard; N];

    fn each_mut(&mut self) -> &mut [Handle] {
        self
    }

    fn take(self, request: &Request<'_>) -> Result<Self::Guards, LockError> {
        let mut order = array::from_fn::<_, N, _>(|index| index);
        let mut guards = array::from_fn(|_| None);
        let taken = take_in_order(&self, &mut order, &mut guards, request);
        all_told(taken, guards, |guards| guards.map(present))
    }

    #[cfg(feature = "async")]
    async fn take_async(self, request: Request<'_>) -> Result<Self::Guards, LockError> {
        let mut order = array::from_fn::<_, N, _>(|index| index);
        let mut guards = array::from_fn(|_| None);
        let taken = take_in_order_async(&self, &mut order, &mut guards, &request).await;
        all_told(taken, guards, |guards| guards.map(present))
    }
}

impl Handles for Vec<Handle> {
    type Guards = Vec<LockGuard>;

    fn each_mut(&mut self) -> &mut [Handle] {
        self
    }

    fn take(self, request: &Request<'_>) -> Result<Self::Guards, LockError> {
        let mut order: Vec<_> = (0..self.len()).collect();
        let mut guards: Vec<_> = self.iter().map(|_| None).collect();
        let taken = take_in_order(&self, &mut order, &mut guards, request);
        all_told(taken, guards, |guards| guards.into_iter().map(present).collect())
    }

    #[cfg(feature = "async")]
    async fn take_async(self, request: Request<'_>) -> Result<Self::Guards, LockError> {
        let mut order: Vec<_> = (0..self.len()).collect();
        let mut guards: Vec<_> = self.iter().map(|_| None).collect();
        let taken = take_in_order_async(&self, &mut order, &mut guards, &request).await;
        all_told(taken, guards, |guards| guards.into_iter().map(present).collect())
    }
}

/// A lock file for each device, and a flock for the one that the descriptor is of.
///
/// # Errors
/// If the descriptor is of no device among them.
fn join(handles: &mut [Handle], joins: Joins<'_>) -> Result<(), LockError> {
    let mut has_joined = false;
    for handle in &mut *handles {
        if let Some(device) = &mut handle.device {
            let joined = device.join(joins);
            has_joined |=
                joined.map_err(|error| handle.state.cannot("look at the descriptor", error))?;
        }
    }
    match handles.first() {
        Some(first) if !has_joined => Err(first.state.cannot_join(match first.device {
            Some(_) => "the descriptor is of another device",
            None => "it is no device's lock; `Lock::device` makes one",
        })),
        _ => Ok(()),
    }
}

/// Tells how an acquire of several locks ended, once there is nothing more to take or to give back.
fn all_told<P, G>(
    taken: Result<(), LockError>,
    places: P,
    present: impl FnOnce(P) -> G,
) -> Result<G, LockError>
where
    G: AsRef<[LockGuard]>,
{
    match taken {
        Ok(()) => {
            let guards = present(places);
            if tell::is_heard() {
                tell::granted(guards.as_ref());
            }
            Ok(guards)
        }
        Err(error) => {
            tell::silently(|| drop(places));
            if tell::is_heard() {
                tell::not_granted(&error);
            }
            Err(error)
        }
    }
}

/// Takes one after the other in the global order. The guards come in the order of `handles`.
fn take_in_order(
    handles: &[Handle],
    order: &mut [usize],
    guards: &mut [Option<LockGuard>],
    request: &Request<'_>,
) -> Result<(), LockError> {
    let deadline = request.deadline();
    sort(order, handles, request.reentrant)?;
    for &index in order.iter() {
        guards[index] = Some(handles[index].acquire(request, deadline)?);
    }
    Ok(())
}

/// As [`take_in_order`], without blocking the thread.
#[cfg(feature = "async")]
async fn take_in_order_async(
    handles: &[Handle],
    order: &mut [usize],
    guards: &mut [Option<LockGuard>],
    request: &Request<'_>,
) -> Result<(), LockError> {
    let deadline = request.deadline();
    // No thread holds for a task, so a task that waits for itself would not be noticed later.
    sort(order, handles, false)?;
    for &index in order.iter() {
        let Handle { state, device } = &handles[index];
        let (state, device) = (Arc::clone(state), device.as_deref());
        guards[index] = Some(LockGuard::acquire_async(state, device, request, deadline).await?);
    }
    Ok(())
}

/// By name: the order that every process has.
///
/// # Errors
/// A lock that is there twice would wait for itself, unless it `may_repeat`.
fn sort(order: &mut [usize], handles: &[Handle], may_repeat: bool) -> Result<(), LockError> {
    order.sort_unstable_by_key(|&index| handles[index].state.name());
    match order
        .windows(2)
        .find(|pair| Arc::ptr_eq(&handles[pair[0]].state, &handles[pair[1]].state))
    {
        Some(twice) if !may_repeat => Err(handles[twice[0]].state.named_twice()),
        _ => Ok(()),
    }
}

/// All values, or the first error.
pub(crate) fn all_or_first_error<T, E, const N: usize>(
    results: [Result<T, E>; N],
) -> Result<[T; N], E> {
    let mut first_error = None;
    let values = results.map(|result| match result {
        Ok(value) => Some(value),
        Err(error) => {
            first_error.get_or_insert(error);
            None
        }
    });
    match first_error {
        Some(error) => Err(error),
        None => Ok(values.map(present)),
    }
}

fn present<T>(value: Option<T>) -> T {
    match value {
        Some(value) => value,
        None => unreachable!("every place has been filled"),
    }
}
