//! All that can be said about an acquire, before it begins.

#[cfg(feature = "async")]
use std::future::Future;
#[cfg(any(target_os = "linux", target_os = "android"))]
use std::os::fd::AsFd;
use std::panic::Location;
use std::time::Duration;

use crate::cancel::Cancel;
use crate::device::Joins;
use crate::error::LockError;
use crate::info::Info;
use crate::locks::Locks;
use crate::request::Request;
use crate::several::Handles;

/// How to take a lock, or several: made by [`Lock::with`](crate::Lock::with) and [`all`](crate::all), as
/// [`File::options`](std::fs::File::options) makes the options of a file.
///
/// Nothing is taken until one of [`acquire`](Self::acquire), [`try_acquire`](Self::try_acquire) and
/// `acquire_async` is called. It is a plain value: one that can be copied can be used again, and each use
/// waits for the whole timeout.
///
/// ```
/// use std::time::Duration;
/// use lockattr::{Lock, LockError};
///
/// static FLASH: Lock = Lock::port("doc-flash");
///
/// let guard = FLASH.with().timeout(Duration::from_secs(5)).info("erasing sector 7").acquire()?;
/// let holder = FLASH.holder()?.expect("this process holds it");
/// assert_eq!(holder.pid, Some(std::process::id()));
/// assert_eq!(holder.info.as_deref(), Some("erasing sector 7"));
/// # drop(guard);
/// # Ok::<_, LockError>(())
/// ```
#[derive(Debug, Clone, Copy)]
#[must_use = "nothing is taken until one of the `acquire` methods is called"]
pub struct Acquire<'a, L> {
    locks: L,
    timeout: Duration,
    info: Option<&'a str>,
    reentrant: bool,
    cancel: Option<&'a Cancel>,
    joins: Joins<'a>,
}

impl<L> Acquire<'_, L> {
    /// The timeout of the attribute, and of both predecessors.
    const TIMEOUT: Duration = Duration::from_secs(1);

    #[inline]
    pub(crate) const fn new(locks: L) -> Self {
        let joins = Joins::NONE;
        Self { locks, timeout: Self::TIMEOUT, info: None, reentrant: false, cancel: None, joins }
    }
}

impl<'a, L: Locks + 'a> Acquire<'a, L> {
    /// For how long to wait while others have the lock. One second if this is not called, as in the
    /// attribute. Several locks are taken within this time together.
    ///
    /// Zero tries once. A timeout that no clock can reach, such as [`Duration::MAX`], waits for ever.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use lockattr::{Lock, LockError};
    /// static SCOPE: Lock = Lock::port("doc-acquire-timeout");
    ///
    /// let guard = SCOPE.try_acquire()?;
    /// let other = std::thread::spawn(|| SCOPE.with().timeout(Duration::from_millis(20)).acquire());
    /// let error = other.join().unwrap().unwrap_err();
    /// assert!(error.waited() >= Duration::from_millis(20));
    /// # drop(guard);
    /// # Ok::<_, LockError>(())
    /// ```
    #[inline]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// What others see in [`Holder::info`](crate::Holder::info). Without it they see the place of the call
    /// that acquires.
    ///
    /// The lock's record keeps some 3,500 bytes of the text.
    ///
    /// ```
    /// # use lockattr::{Lock, LockError};
    /// static CAMERA: Lock = Lock::port("doc-acquire-info");
    ///
    /// let image = 12;
    /// let text = format!("exposes image {image}");
    /// let guard = CAMERA.with().info(&text).acquire()?;
    /// assert_eq!(CAMERA.holder()?.and_then(|holder| holder.info), Some(text));
    /// # drop(guard);
    /// # Ok::<_, LockError>(())
    /// ```
    #[inline]
    pub const fn info(mut self, info: &'a str) -> Self {
        self.info = Some(info);
        self
    }

    /// A thread that holds the lock enters again, at once, instead of failing with
    /// [`LockError::WouldDeadlock`]. The lock is given back with the last of the guards.
    ///
    /// The thread that acquired the lock counts as its holder even after it has sent the guard to another
    /// thread. If it enters again then, both threads are in. Do not send the guards of a lock that is taken
    /// so.
    ///
    /// ```
    /// # use lockattr::{Lock, LockError};
    /// static BUS: Lock = Lock::port("doc-reentrant");
    ///
    /// fn write_register() -> Result<(), LockError> {
    ///     let _guard = BUS.with().reentrant().acquire()?;
    ///     Ok(())
    /// }
    ///
    /// fn configure() -> Result<(), LockError> {
    ///     let _guard = BUS.with().reentrant().acquire()?;
    ///     write_register()?;
    ///     write_register()
    /// }
    /// # configure().unwrap();
    /// # assert!(!BUS.is_locked().unwrap());
    /// ```
    ///
    /// A task cannot enter again, as no thread holds for it: `acquire_async` fails with
    /// [`LockError::Io`] of the kind [`Unsupported`](std::io::ErrorKind::Unsupported).
    #[inline]
    pub const fn reentrant(mut self) -> Self {
        self.reentrant = true;
        self
    }

    /// The wait ends, with [`LockError::Cancelled`], when `cancel` says so; before it begins, if it has said so
    /// already. A lock that is acquired by then stays acquired. See [`Cancel`].
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use lockattr::{Cancel, Lock, LockError};
    /// static BUS: Lock = Lock::port("doc-cancelled-by");
    ///
    /// let cancel = Cancel::new();
    /// let guard = BUS.try_acquire()?;
    /// std::thread::scope(|scope| {
    ///     let waiter =
    ///         scope.spawn(|| BUS.with().timeout(Duration::MAX).cancelled_by(&cancel).acquire());
    ///     cancel.cancel();
    ///     assert!(matches!(waiter.join().unwrap(), Err(LockError::Cancelled { .. })));
    /// });
    /// # drop(guard);
    /// # Ok::<_, LockError>(())
    /// ```
    #[inline]
    pub const fn cancelled_by(mut self, cancel: &'a Cancel) -> Self {
        self.cancel = Some(cancel);
        self
    }

    /// While the lock of a device ([`Lock::device`](crate::Lock::device)) is held, `descriptor` has an exclusive
    /// `flock(2)`, which keeps out picocom, tio, esptool and pyserial (`exclusive=True`). The descriptor is the
    /// caller's own, of the opened device, so nothing is opened. It is copied for the hold: the caller may use it in
    /// the body, and close it.
    ///
    /// The flock is taken after the lock, within the same timeout, and given back before the lock. A descriptor
    /// that had one before, as serialport's ports have, has the same one afterwards. Of several locks it is
    /// for the device that the descriptor is of. [`LockGuard::into_descriptor`](crate::LockGuard::into_descriptor)
    /// gives it back.
    ///
    /// A thread that [enters again](Self::reentrant) joins nothing more: what the hold is to join, its first
    /// acquire has to say.
    ///
    /// ```
    /// use std::fs::File;
    /// use lockattr::{Lock, LockError};
    ///
    /// # let file = std::env::temp_dir().join(format!("lockattr-doc-join-{}", std::process::id()));
    /// # File::create(&file).unwrap();
    /// # let path = &file;
    /// let port = File::open(path).unwrap();
    /// let guard = Lock::device(path)?.with().join(&port).acquire()?;
    /// # drop(guard);
    /// # Lock::device(path)?.remove_files()?;
    /// # std::fs::remove_file(&file).unwrap();
    /// # Ok::<_, LockError>(())
    /// ```
    ///
    /// # Errors
    /// Then [`acquire`](Self::acquire) fails with [`LockError::Io`] of the kind `InvalidInput` if the lock is no
    /// device's, or the descriptor is of another device.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    #[cfg_attr(docsrs, doc(cfg(target_os = "linux")))]
    #[inline]
    pub fn join(mut self, descriptor: &'a impl AsFd) -> Self {
        self.joins = self.joins.descriptor(descriptor);
        self
    }

    /// While the lock of a device is held, there is a UUCP lock file for it (`/var/lock/LCK..ttyUSB0`, or in
    /// `/run/lock`), which keeps minicom out. It has the pid of this process, and is removed on every way out. What
    /// is left of a process that is killed is stale, and blocks nobody.
    ///
    /// Where the path is a link, there is a second file for the name that it leads to.
    ///
    /// ```no_run
    /// # use lockattr::{Lock, LockError};
    /// let modem = Lock::device("/dev/ttyUSB0")?;
    /// let guard = modem.with().join_lock_file().acquire()?;
    /// // minicom says here: Device /dev/ttyUSB0 is locked.
    /// drop(guard);
    /// # Ok::<_, LockError>(())
    /// ```
    ///
    /// # Errors
    /// Then [`acquire`](Self::acquire) fails with [`LockError::Io`] if the file cannot be made, for instance
    /// because this user may not write to the folder.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    #[cfg_attr(docsrs, doc(cfg(target_os = "linux")))]
    #[inline]
    pub const fn join_lock_file(mut self) -> Self {
        self.joins = self.joins.lock_file();
        self
    }

    /// Takes the lock, or all of several or none, waiting for at most the timeout while others have it. See
    /// [`Lock::acquire`](crate::Lock::acquire).
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use lockattr::{all, Lock, LockError};
    /// static BUS: Lock = Lock::port("doc-builder-i2c");
    /// static RESET: Lock = Lock::port("doc-builder-gpio");
    ///
    /// let bus = BUS.with().timeout(Duration::from_secs(2)).acquire()?;
    /// drop(bus);
    /// let [bus, reset] = all([&BUS, &RESET]).timeout(Duration::from_secs(2)).acquire()?;
    /// # drop((bus, reset));
    /// # Ok::<_, LockError>(())
    /// ```
    ///
    /// # Errors
    /// As [`Lock::acquire`](crate::Lock::acquire); of several locks, the error of the first that fails.
    #[inline]
    #[track_caller]
    pub fn acquire(self) -> Result<L::Guards, LockError> {
        let request = self.request(Info::Place(Location::caller()));
        if !self.joins.is_none() {
            return Self::acquire_joined(self.locks, self.joins, &request);
        }
        self.locks.handles()?.take(&request)
    }

    #[cold]
    fn acquire_joined(
        locks: L,
        joins: Joins<'_>,
        request: &Request<'_>,
    ) -> Result<L::Guards, LockError> {
        let mut handles = locks.handles()?;
        handles.join(joins)?;
        handles.take(request)
    }

    /// Takes the lock if it is free, whatever the timeout says. See
    /// [`Lock::try_acquire`](crate::Lock::try_acquire).
    ///
    /// ```
    /// # use lockattr::{Lock, LockError};
    /// static BUS: Lock = Lock::port("doc-builder-try");
    ///
    /// match BUS.with().info("nightly calibration").try_acquire() {
    ///     Ok(_guard) => println!("calibrates"),
    ///     Err(busy) if busy.is_timeout() => println!("skipped: {busy}"),
    ///     Err(error) => return Err(error),
    /// }
    /// # Ok::<_, LockError>(())
    /// ```
    ///
    /// # Errors
    /// As [`acquire`](Self::acquire). [`LockError::Timeout`] means that the lock is held.
    #[inline]
    #[track_caller]
    pub fn try_acquire(self) -> Result<L::Guards, LockError> {
        self.timeout(Duration::ZERO).acquire()
    }

    /// As [`acquire`](Self::acquire), without blocking the thread. The time begins when the future is first
    /// polled. See [`Lock::acquire_async`](crate::Lock::acquire_async) for what to mind.
    ///
    /// ```
    /// # use lockattr::{Lock, LockError};
    /// # static FLASH: Lock = Lock::port("doc-flash-async");
    /// # futures_lite::future::block_on(async {
    /// let guard = FLASH.with().info("erasing sector 7").acquire_async().await?;
    /// # drop(guard);
    /// # Ok::<_, LockError>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// As [`acquire`](Self::acquire), and see [`reentrant`](Self::reentrant).
    #[cfg(feature = "async")]
    #[track_caller]
    pub fn acquire_async(self) -> impl Future<Output = Result<L::Guards, LockError>> + Send + 'a {
        let request = self.request(Info::Place(Location::caller()));
        let joins = self.joins;
        let handles = self.locks.handles().and_then(|mut handles| {
            if !joins.is_none() {
                handles.join(joins)?;
            }
            Ok(handles)
        });
        async move { handles?.take_async(request).await }
    }

    #[inline]
    fn request(&self, place: Info<'a>) -> Request<'a> {
        let info = self.info.map_or(place, Info::Text);
        Request {
            reentrant: self.reentrant,
            cancel: self.cancel,
            ..Request::new(self.timeout, info)
        }
    }
}

/// Several locks, to be taken together: all within one timeout, or none of them.
///
/// Whatever the order they are given in, they are taken in one global order, by name. So two processes that take
/// the same locks never wait for each other in a circle. That holds for locks that are taken in one call. If a
/// program takes a second lock while it holds a first one, all programs must take the two in the same order.
///
/// The guards come in the order of the locks. No locks at all are taken at once. One lock twice is
/// [`LockError::WouldDeadlock`], unless it is taken [reentrantly](Acquire::reentrant).
///
/// ```
/// use lockattr::{all, Backend, Lock, LockError};
///
/// let pins = [4, 17];
/// let locks = pins.map(|pin| Lock::open(Backend::Port, &format!("doc-all-gpio-{pin}")));
/// let locks: Vec<Lock> = locks.into_iter().collect::<Result<_, _>>()?;
/// let guards = all(&locks).info("resets the board").acquire()?;
/// assert_eq!(guards.len(), 2);
/// # Ok::<_, LockError>(())
/// ```
pub const fn all<'a, L: Locks + 'a>(locks: L) -> Acquire<'a, L> {
    Acquire::new(locks)
}

/// Takes several locks, all within `timeout`, or none of them: short for [`all`] with a timeout.
///
/// ```
/// use std::time::Duration;
/// use lockattr::{acquire_all, Lock, LockError};
///
/// static BUS: Lock = Lock::port("doc-all-i2c");
/// static RESET: Lock = Lock::port("doc-all-gpio");
///
/// let [_bus, _reset] = acquire_all([&BUS, &RESET], Duration::from_secs(2))?;
/// # Ok::<_, LockError>(())
/// ```
///
/// # Errors
/// As [`Lock::acquire`](crate::Lock::acquire), for the first lock that fails. What had been taken is given
/// back.
#[track_caller]
pub fn acquire_all<L: Locks>(locks: L, timeout: Duration) -> Result<L::Guards, LockError> {
    all(locks).timeout(timeout).acquire()
}

/// As [`acquire_all`], without blocking the thread. See
/// [`Lock::acquire_async`](crate::Lock::acquire_async).
///
/// ```
/// # use std::time::Duration;
/// # use lockattr::{acquire_all_async, Lock, LockError};
/// static BUS: Lock = Lock::port("doc-all-async-i2c");
/// static RESET: Lock = Lock::port("doc-all-async-gpio");
///
/// async fn reset_sensor() -> Result<(), LockError> {
///     let [_bus, _reset] = acquire_all_async([&BUS, &RESET], Duration::from_secs(2)).await?;
///     // Both are held across each `.await` in here.
///     Ok(())
/// }
/// # futures_lite::future::block_on(reset_sensor()).unwrap();
/// ```
///
/// # Errors
/// As [`acquire_all`].
#[cfg(feature = "async")]
#[track_caller]
pub fn acquire_all_async<'a, L: Locks + 'a>(
    locks: L,
    timeout: Duration,
) -> impl Future<Output = Result<L::Guards, LockError>> + Send + 'a {
    all(locks).timeout(timeout).acquire_async()
}
