//! A named lock.

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::panic::{Location, RefUnwindSafe, UnwindSafe};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use once_cell::race::OnceBox;

use crate::acquire::Acquire;
use crate::device::Device;
use crate::error::LockError;
use crate::guard::LockGuard;
use crate::holder::Holder;
use crate::info::Info;
use crate::kind::{Backend, Kind, NO_SEMAPHORES};
use crate::name;
use crate::registry;
use crate::request::Request;
use crate::several::{Handle, Handles as _};
use crate::standing::Standing;
use crate::state::State;

/// A lock that every process on the machine respects, by its name.
///
/// Any number of these, in any number of processes and threads, are one lock if they have one name
/// and one backend. Making one takes nothing; a static is the usual place:
///
/// ```
/// use std::time::Duration;
/// use lockattr::Lock;
///
/// static BUS: Lock = Lock::port("doc-i2c-1");
///
/// fn read_register() -> Result<u8, lockattr::LockError> {
///     let _guard = BUS.acquire(Duration::from_secs(2))?;
///     // … no other process talks on the bus here …
///     Ok(0)
/// } // given back, on every way out
/// # read_register().unwrap();
/// ```
pub struct Lock {
    kind: Kind,
    name: Cow<'static, str>,
    /// The state in the registry, once it was looked up. A race decides who stores it, and all would
    /// store the same; unlike with a `Once`, no fork can find it half way.
    state: OnceBox<Arc<State>>,
    /// A device's lock is found by this path at each use, and has no state of its own.
    device: Option<Box<Path>>,
}

impl Lock {
    /// A lock of the port backend: a listening unix socket at the abstract address
    /// `\0/portlock/NAME`, as k3portlock binds it.
    ///
    /// `name` has 1 to 97 bytes and no NUL. In a `static` or `const` it is checked by the compiler:
    ///
    /// ```compile_fail
    /// # use lockattr::Lock;
    /// static NAMELESS: Lock = Lock::port("");
    /// ```
    ///
    /// # Panics
    /// If `name` breaks the rules. See [`Lock::open`] for names that are made at run time.
    #[must_use]
    pub const fn port(name: &'static str) -> Self {
        name::assert_valid(name, Backend::Port);
        Self::fixed(Backend::Port, name)
    }

    /// A lock of the semaphore backend: the POSIX semaphore `/NAME` and the shared-memory object
    /// `/NAME`, as resourcelock uses them. They are made when the lock is first acquired, for this
    /// user alone unless [`mode`](Self::mode) says otherwise, and stay until
    /// [`remove_files`](Self::remove_files).
    ///
    /// Files that are removed or cut by accident are noticed within 10 ms, when the lock is next acquired,
    /// waited for or given back: a removed one is made anew, a cut record gets its memory again, and a cut
    /// semaphore is [`LockError::Damaged`]. A process that touches one within those 10 ms, or sleeps in a
    /// semaphore that is cut to nothing, is ended by a SIGBUS.
    ///
    /// `name` has 1 to 250 bytes, no NUL and no `/` (but one in front, which is dropped), is not `.` or
    /// `..`, and does not begin with `sem.` or `lockattr.`. In a `static` or `const` it is checked by
    /// the compiler:
    ///
    /// ```compile_fail
    /// # use lockattr::Lock;
    /// static SLASHED: Lock = Lock::semaphore("bus/1");
    /// ```
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use lockattr::{Lock, LockError};
    /// static BUS: Lock = Lock::semaphore("doc-spi-0");
    ///
    /// let _guard = BUS.acquire(Duration::from_secs(2))?;
    /// # Ok::<_, LockError>(())
    /// ```
    ///
    /// # Panics
    /// If `name` breaks the rules, or the system has no such semaphores (see [`Backend::Semaphore`]). See
    /// [`Lock::open`] for names that are made at run time.
    #[must_use]
    pub const fn semaphore(name: &'static str) -> Self {
        name::assert_valid(name, Backend::Semaphore);
        Self::fixed(Backend::Semaphore, name)
    }

    /// A lock of the TCP backend: two of three ports at 127.0.0.1, as k3portlock binds them where it has no
    /// abstract unix sockets. See [`Backend::Tcp`] for what it promises, and what not.
    ///
    /// `name` has 1 to 250 bytes and no NUL. In a `static` or `const` it is checked by the compiler.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use lockattr::{Lock, LockError};
    /// static BENCH: Lock = Lock::tcp("doc-bench-supply");
    ///
    /// let _guard = BENCH.acquire(Duration::from_secs(2))?;
    /// # Ok::<_, LockError>(())
    /// ```
    ///
    /// # Panics
    /// If `name` breaks the rules. See [`Lock::open`] for names that are made at run time.
    #[must_use]
    pub const fn tcp(name: &'static str) -> Self {
        name::assert_valid(name, Backend::Tcp);
        Self::fixed(Backend::Tcp, name)
    }

    const fn fixed(backend: Backend, name: &'static str) -> Self {
        let name = Cow::Borrowed(name::without_slash(name, backend));
        Self { kind: Kind::new(backend), name, state: OnceBox::new(), device: None }
    }

    /// Who may use the semaphore, where this lock is the one that makes it: `0o660` also the users of
    /// its group, `0o666` everybody. The umask does not mask it. One that exists keeps its mode.
    ///
    /// The mode also says whose semaphore this lock may be. The owner of a file can cut it, which ends every
    /// process that uses it. So the files must be this user's own or root's, or both their mode and this
    /// one must let in the group (if this process is in the files' group) or all others. Anything else is
    /// [`LockError::Untrusted`], also for root: to use the private lock of a user, run as that user
    /// (`sudo -u USER`).
    ///
    /// ```
    /// # use lockattr::Lock;
    /// static BUS: Lock = Lock::semaphore("doc-mode").mode(0o660);
    /// # assert!(!BUS.is_locked().unwrap());
    /// ```
    ///
    /// # Panics
    /// If `mode` is not `0o600`, with or without `0o060` and `0o006` or a part of them, or if this is
    /// a port lock, which anybody can use. See [`try_mode`](Self::try_mode) for modes and backends that are
    /// known at run time only.
    #[must_use]
    pub const fn mode(mut self, mode: u32) -> Self {
        self.kind = self.kind.mode(mode);
        self
    }

    /// As [`mode`](Self::mode), with an error in place of the panic.
    ///
    /// ```
    /// use lockattr::{Backend, Lock, LockError};
    ///
    /// let lock = Lock::open(Backend::Semaphore, "doc-try-mode")?.try_mode(0o660)?;
    /// let port = Lock::open(Backend::Port, "doc-try-mode-port")?;
    /// assert!(matches!(port.try_mode(0o660), Err(LockError::InvalidMode { .. })));
    /// # Ok::<_, LockError>(())
    /// ```
    ///
    /// # Errors
    /// [`LockError::InvalidMode`].
    pub fn try_mode(self, mode: u32) -> Result<Self, LockError> {
        match self.kind.try_mode(mode) {
            Some(kind) => Ok(Self { kind, ..self }),
            None => Err(LockError::InvalidMode {
                lock: self.name().into(),
                backend: self.backend(),
                mode,
            }),
        }
    }

    /// A lock whose name is made at run time.
    ///
    /// ```
    /// use lockattr::{Backend, Lock, LockError};
    ///
    /// let bus = 3;
    /// let lock = Lock::open(Backend::Port, &format!("doc-i2c-{bus}"))?;
    /// assert!(!lock.is_locked()?);
    /// # Ok::<_, LockError>(())
    /// ```
    ///
    /// # Errors
    /// [`LockError::InvalidName`] if `name` breaks the backend's rules,
    /// [`LockError::BackendMismatch`] if this process uses the name under another backend, and [`LockError::Io`] of the
    /// kind `Unsupported` if the system does not have the backend.
    pub fn open(backend: Backend, name: &str) -> Result<Self, LockError> {
        name::check(name, backend)
            .map_err(|reason| LockError::InvalidName { lock: name.into(), reason })?;
        let name: Cow<str> = Cow::Owned(name::without_slash(name, backend).to_owned());
        let kind = Kind::try_new(backend).ok_or_else(|| LockError::Io {
            lock: name.as_ref().into(),
            operation: "make a semaphore",
            source: io::Error::new(io::ErrorKind::Unsupported, NO_SEMAPHORES).into(),
        })?;
        let lock = Self { kind, name, state: OnceBox::new(), device: None };
        // Not kept: a `mode` may follow.
        registry::state(lock.kind, &lock.name)?;
        Ok(lock)
    }

    /// The lock of the device that `path` leads to: a port lock, see [`open_device`](Self::open_device) for
    /// the other backend.
    ///
    /// A device has one lock, whatever path leads to it: `/dev/serial/by-id/usb-…`, `/dev/ttyUSB0` and another
    /// node of the same numbers are one. Its name is made of the numbers, `dev:c188:0` (`b` for a
    /// block device); that of a file which is no device, of its file system and inode, `file:8:1:1234`. The
    /// path is looked at again at each use (a `stat(2)`), so a lock that is kept is that of the device that is there
    /// now. Nothing is opened.
    ///
    /// ```
    /// use std::time::Duration;
    /// use lockattr::{Lock, LockError};
    ///
    /// let lock = Lock::device("/dev/null")?;
    /// assert_eq!(lock.name(), "dev:c1:3");
    /// let guard = lock.acquire(Duration::from_secs(1))?;
    /// assert!(Lock::device("/dev/../dev/null")?.is_locked()?);
    /// # Ok::<_, LockError>(())
    /// ```
    ///
    /// # Errors
    /// [`LockError::NoDevice`] if there is none, now or at a later use: also for a folder, and for a path that
    /// is not absolute.
    pub fn device(path: impl AsRef<Path>) -> Result<Self, LockError> {
        Self::open_device(Backend::Port, path)
    }

    /// As [`device`](Self::device), with a lock of `backend`. All who share the device must use the same one.
    ///
    /// ```
    /// use lockattr::{Backend, Lock, LockError};
    ///
    /// let lock = Lock::open_device(Backend::Semaphore, "/dev/zero")?;
    /// assert_eq!((lock.name(), lock.backend()), ("dev:c1:5", Backend::Semaphore));
    /// # Ok::<_, LockError>(())
    /// ```
    ///
    /// # Errors
    /// As [`device`](Self::device), and [`LockError::BackendMismatch`] if this process uses the device under
    /// another backend.
    pub fn open_device(backend: Backend, path: impl AsRef<Path>) -> Result<Self, LockError> {
        let path = path.as_ref();
        let name = Device::at(path)?.node().to_string();
        Ok(Self { device: Some(path.into()), ..Self::open(backend, &name)? })
    }

    /// The lock's name. Of a device it is that of the device which the path led to when this was made.
    ///
    /// ```
    /// # use lockattr::Lock;
    /// static BUS: Lock = Lock::port("doc-name");
    /// assert_eq!(BUS.name(), "doc-name");
    /// ```
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How the lock excludes other processes.
    ///
    /// ```
    /// # use lockattr::{Backend, Lock};
    /// static BUS: Lock = Lock::semaphore("doc-backend");
    /// assert_eq!(BUS.backend(), Backend::Semaphore);
    /// ```
    #[must_use]
    pub fn backend(&self) -> Backend {
        self.kind.backend
    }

    /// Takes the lock, waiting for at most `timeout` while others have it.
    ///
    /// Waiters are served first come, first served, processes and threads alike. (Those of a semaphore
    /// within one network namespace. Their order is lost, but not the lock, behind a waiter that is stopped, and for
    /// a process without a free descriptor; programs that use resourcelock come in between. Those of a TCP lock
    /// are served in no order that is promised.) A `timeout` of zero tries once; one that no clock can reach, such as
    /// [`Duration::MAX`], waits for ever. Time is `CLOCK_MONOTONIC`. The place of the call is what others
    /// see in [`Holder::info`].
    ///
    /// Not to be called in a signal handler.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use lockattr::{Lock, LockError};
    /// static BUS: Lock = Lock::port("doc-acquire");
    ///
    /// fn read_temperature() -> Result<f32, LockError> {
    ///     let _guard = BUS.acquire(Duration::from_secs(2))?;
    ///     // No other process is on the bus until the guard is dropped.
    ///     Ok(21.5)
    /// }
    /// # read_temperature()?;
    /// # Ok::<_, LockError>(())
    /// ```
    ///
    /// # Errors
    /// - [`LockError::Timeout`] if others had the lock all the time; it says who has it now.
    /// - [`LockError::WouldDeadlock`], at once, if the calling thread acquired this lock and the guard
    ///   still lives, wherever it has been moved to.
    /// - [`LockError::OtherNamespace`] if a process of the same user holds the name of a port lock in
    ///   another network namespace.
    /// - [`LockError::Orphaned`] if a semaphore is taken and nobody says by whom, [`LockError::Denied`] if
    ///   it is another user's, [`LockError::Untrusted`] if it is another user's with whom this lock is not
    ///   shared, [`LockError::Damaged`] if its file was cut, [`LockError::OtherWordSize`] if a 32-bit and a
    ///   64-bit program meet, [`LockError::Overposted`] if other programs have posted it again and again.
    /// - [`LockError::BackendMismatch`] if this process uses the name under another backend,
    ///   [`LockError::OtherBackend`] if another process holds it under that one when this process first takes it.
    /// - [`LockError::PortTaken`] if other programs had the ports of a TCP lock all the time, and
    ///   [`LockError::SharedPort`], at once, if this process holds one of them for another lock.
    /// - [`LockError::Io`] if the system refuses something, such as another descriptor (`EMFILE`).
    #[track_caller]
    pub fn acquire(&self, timeout: Duration) -> Result<LockGuard, LockError> {
        self.handle()?.take(&Request::new(timeout, Info::Place(Location::caller())))
    }

    /// Takes the lock if it is free, and returns at once if it is held.
    ///
    /// There are two exceptions. A port lock that was given back stays taken for a moment if its last holder
    /// was just spawning a process: this waits up to a quarter of a second until that child has executed its
    /// program. A semaphore that a dead holder left takes some 5 ms to be inherited.
    ///
    /// Waiters are served first: while others wait for a semaphore, this fails also in the moment between two holders.
    ///
    /// ```
    /// # use lockattr::{Lock, LockError};
    /// static DISPLAY: Lock = Lock::port("doc-try-acquire");
    ///
    /// fn refresh() -> Result<(), LockError> {
    ///     match DISPLAY.try_acquire() {
    ///         Ok(_guard) => println!("draws"),
    ///         // Another process is drawing.
    ///         Err(error) if error.is_timeout() => println!("skipped: {error}"),
    ///         Err(error) => return Err(error),
    ///     }
    ///     Ok(())
    /// }
    /// # refresh()?;
    /// # Ok::<_, LockError>(())
    /// ```
    ///
    /// # Errors
    /// As [`acquire`](Self::acquire). [`LockError::Timeout`] means that the lock is held.
    #[track_caller]
    pub fn try_acquire(&self) -> Result<LockGuard, LockError> {
        self.acquire(Duration::ZERO)
    }

    /// All other ways to take the lock: with a text for others to see, reentrantly, and so on. Begins with the
    /// attribute's timeout of one second.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use lockattr::{Lock, LockError};
    /// static FLASH: Lock = Lock::port("doc-with");
    ///
    /// let _guard = FLASH.with().timeout(Duration::from_secs(5)).info("erasing sector 7").acquire()?;
    /// # Ok::<_, LockError>(())
    /// ```
    #[inline]
    pub const fn with(&self) -> Acquire<'_, &Self> {
        Acquire::new(self)
    }

    /// As [`acquire`](Self::acquire), without blocking the thread while others have the lock.
    ///
    /// It works on any executor. The time begins when the future is first polled. A future that is dropped leaves
    /// the queue. (The first in the queue for a semaphore looks again after 50 us at first, then every 2 ms, and
    /// every 10 ms once it has waited for 100; the others wait for their turn.) No thread holds the lock then, so a
    /// task that asks for a lock which it holds itself is not told `WouldDeadlock`: it waits for its timeout.
    ///
    /// Poll the future until it is ready, or drop it. A port lock may have been handed to it, and no other
    /// process gets the lock while it is neither polled nor dropped (of a semaphore or a TCP lock, only the order is lost): mind a pinned future in a `select!` whose
    /// other arm awaits something slow. Others are told
    /// ([`Tenure::OnItsWay`](crate::Tenure::OnItsWay)); what is found after the timeout is passed on.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use lockattr::{Lock, LockError};
    /// static BUS: Lock = Lock::port("doc-acquire-async");
    ///
    /// async fn read_temperature() -> Result<f32, LockError> {
    ///     let _guard = BUS.acquire_async(Duration::from_secs(2)).await?;
    ///     // The guard may live across an `.await`.
    ///     Ok(21.5)
    /// }
    /// # futures_lite::future::block_on(read_temperature())?;
    /// # Ok::<_, LockError>(())
    /// ```
    ///
    /// # Errors
    /// As [`acquire`](Self::acquire).
    #[cfg(feature = "async")]
    #[track_caller]
    pub fn acquire_async(
        &self,
        timeout: Duration,
    ) -> impl std::future::Future<Output = Result<LockGuard, LockError>> + Send {
        // Not by `with`, whose futures borrow: of the lock this needs only its handle.
        let request = Request::new(timeout, Info::Place(Location::caller()));
        let handle = self.handle();
        async move { handle?.take_async(request).await }
    }

    /// Whether the calling thread holds the lock: it acquired the lock, and the guard still lives, wherever that
    /// has been moved to. Such a thread would be told [`LockError::WouldDeadlock`].
    ///
    /// A guard that a task acquired belongs to no thread, as a task moves between threads: ask
    /// [`is_held_by_process`](Self::is_held_by_process), and keep in the task itself what it holds.
    ///
    /// ```
    /// # use lockattr::{Lock, LockError};
    /// static BUS: Lock = Lock::port("doc-held-by");
    ///
    /// let guard = BUS.try_acquire()?;
    /// assert!(BUS.is_held_by_thread() && BUS.is_held_by_process());
    /// std::thread::spawn(|| {
    ///     assert!(!BUS.is_held_by_thread() && BUS.is_held_by_process());
    /// })
    /// .join()
    /// .unwrap();
    /// drop(guard);
    /// assert!(!BUS.is_held_by_process());
    /// # Ok::<_, LockError>(())
    /// ```
    #[must_use]
    pub fn is_held_by_thread(&self) -> bool {
        self.state().is_ok_and(|state| state.is_held_by_thread())
    }

    /// Whether this process holds the lock: any of its threads, or any of its tasks. Nothing is asked of the
    /// system. In a forked child it is not held, though its parent holds it.
    ///
    /// ```
    /// # use lockattr::{Lock, LockError};
    /// static FLASH: Lock = Lock::port("doc-held-by-process");
    ///
    /// fn erase() {
    ///     debug_assert!(FLASH.is_held_by_process(), "the caller takes the lock");
    ///     // …
    /// }
    ///
    /// let _guard = FLASH.try_acquire()?;
    /// std::thread::spawn(erase).join().unwrap();
    /// # Ok::<_, LockError>(())
    /// ```
    #[must_use]
    pub fn is_held_by_process(&self) -> bool {
        self.state().is_ok_and(|state| state.is_held_by_process())
    }

    /// Whether the lock is held now, by this process or another, by lockattr or not.
    ///
    /// The answer may be out of date by the time it is returned. Looking takes nothing. As
    /// [`try_acquire`](Self::try_acquire) it waits up to a quarter of a second where a lock was given
    /// back and is still taken by a child that is being spawned.
    ///
    /// ```
    /// # use lockattr::{Lock, LockError};
    /// static BUS: Lock = Lock::port("doc-is-locked");
    ///
    /// println!("the bus is {}", if BUS.is_locked()? { "busy" } else { "idle" });
    /// # Ok::<_, LockError>(())
    /// ```
    ///
    /// # Errors
    /// [`LockError::OtherNamespace`] as for an acquire, [`LockError::BackendMismatch`], and [`LockError::Io`] if
    /// the system does not say.
    pub fn is_locked(&self) -> Result<bool, LockError> {
        self.state()?.is_locked()
    }

    /// The process that holds the lock now; none if it is free.
    ///
    /// What the kernel says comes first ([`Holder::known_by`]); the rest is from the lock's record, if
    /// it belongs to the same process.
    ///
    /// ```
    /// # use lockattr::{Lock, LockError};
    /// static BUS: Lock = Lock::port("doc-lock-holder");
    ///
    /// match BUS.holder()? {
    ///     Some(holder) => println!("{holder}"), // held for 3.4 s by pid 812 (sensord) in …
    ///     None => println!("free"),
    /// }
    /// # Ok::<_, LockError>(())
    /// ```
    ///
    /// # Errors
    /// As [`is_locked`](Self::is_locked).
    pub fn holder(&self) -> Result<Option<Holder>, LockError> {
        self.state()?.holder()
    }

    /// The process that took the lock last, whether it holds still, gave it back, or died
    /// ([`Holder::tenure`]); none if no record tells. Only lockattr's processes write records. Of a
    /// program that uses resourcelock its text tells, which begins with the time; a text that begins
    /// otherwise may be anybody's, and is no sign of a holder.
    ///
    /// ```
    /// # use lockattr::{Lock, LockError, Tenure};
    /// static BUS: Lock = Lock::port("doc-last-holder");
    ///
    /// drop(BUS.with().info("scans the bus").acquire()?);
    /// let last = BUS.last_holder()?.expect("it was this process");
    /// assert_eq!(last.tenure, Tenure::Released);
    /// assert_eq!(last.info.as_deref(), Some("scans the bus"));
    /// # Ok::<_, LockError>(())
    /// ```
    ///
    /// # Errors
    /// As [`is_locked`](Self::is_locked).
    pub fn last_holder(&self) -> Result<Option<Holder>, LockError> {
        self.state()?.last_holder()
    }

    /// Whether the lock is taken, by which process, and how that is known, in one look: the judgement that
    /// [`is_locked`](Self::is_locked), [`holder`](Self::holder), [`last_holder`](Self::last_holder) and the
    /// errors of an acquire give parts of.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use lockattr::{Lock, LockError, Standing, Tenure};
    /// static BUS: Lock = Lock::port("doc-standing");
    ///
    /// let guard = BUS.acquire(Duration::from_secs(1))?;
    /// assert!(matches!(BUS.standing()?, Standing::Held { holder, .. } if holder.pid.is_some()));
    /// drop(guard);
    /// let Standing::Free { last: Some(last), .. } = BUS.standing()? else { panic!() };
    /// assert_eq!(last.tenure, Tenure::Released);
    /// # Ok::<_, LockError>(())
    /// ```
    ///
    /// # Errors
    /// As [`is_locked`](Self::is_locked).
    pub fn standing(&self) -> Result<Standing, LockError> {
        self.state()?.standing()
    }

    /// Which other processes lock the device by conventions of their own, as far as that can be seen: each has a
    /// `flock(2)` on the node ([`KnownBy::Flock`](crate::KnownBy::Flock)) or a live UUCP lock file
    /// ([`KnownBy::LockFile`](crate::KnownBy::LockFile)). An acquire waits until there is none. Of a lock that is no device's,
    /// there is none.
    ///
    /// The other looks, as [`is_locked`](Self::is_locked), tell of lockattr's lock alone.
    ///
    /// ```
    /// # use lockattr::{Lock, LockError};
    /// for holder in Lock::device("/dev/null")?.others()? {
    ///     println!("{holder}"); // held by pid 812 (picocom), which has a flock on /dev/ttyUSB0
    /// }
    /// # Ok::<_, LockError>(())
    /// ```
    ///
    /// # Errors
    /// [`LockError::NoDevice`].
    pub fn others(&self) -> Result<Vec<Holder>, LockError> {
        match &self.device {
            Some(path) => Ok(Device::at(path)?.holders()),
            None => Ok(Vec::new()),
        }
    }

    /// Releases the lock, also if another process holds it. Returns whether it was taken, or had been left by a dead
    /// holder. For a semaphore that a program without lockattr has left taken, or that is
    /// [`Orphaned`](LockError::Orphaned).
    ///
    /// What a dead process left is freed, unless a waiter inherits it first. A live holder that does not use lockattr
    /// loses the lock without knowing: it goes on, beside the next holder. A live process of lockattr keeps the lock
    /// as far as lockattr's programs are concerned, but resourcelock's can come in beside it. (So it is
    /// still taken, and this returns true again, also if its semaphore has been posted already.)
    ///
    /// ```
    /// # use lockattr::{Lock, LockError};
    /// static RIG: Lock = Lock::semaphore("doc-force-release");
    ///
    /// RIG.try_acquire()?.detach()?; // or a program of resourcelock's that was killed
    /// assert!(RIG.force_release()?);
    /// assert!(!RIG.force_release()?); // it is free
    /// # RIG.remove_files()?;
    /// # Ok::<_, LockError>(())
    /// ```
    ///
    /// # Errors
    /// A port lock or a TCP lock is let go of only by its holder: that is [`LockError::Io`] of the kind
    /// `Unsupported`. Of a semaphore the errors are those of [`acquire`](Self::acquire) but the first three.
    pub fn force_release(&self) -> Result<bool, LockError> {
        self.state()?.force_release()
    }

    #[inline]
    pub(crate) fn handle(&self) -> Result<Handle, LockError> {
        match self.state.get() {
            Some(state) => Ok(Handle::new(Arc::clone(state))),
            None => self.find(),
        }
    }

    /// The first use, or that of a device.
    #[cold]
    fn find(&self) -> Result<Handle, LockError> {
        let Some(path) = &self.device else {
            let found = || registry::state(self.kind, &self.name).map(Box::new);
            return self.state.get_or_try_init(found).map(|state| Handle::new(Arc::clone(state)));
        };
        let device = Device::at(path)?;
        let state = registry::state(self.kind, &device.node().to_string())?;
        Ok(Handle { state, device: Some(Box::new(device)) })
    }

    fn state(&self) -> Result<Cow<'_, Arc<State>>, LockError> {
        match self.state.get() {
            Some(state) => Ok(Cow::Borrowed(state)),
            None => self.find().map(|handle| Cow::Owned(handle.state)),
        }
    }
}

// A panic leaves no lock half taken: what is shared with other threads is atomics and mutexes, and other
// processes see all of it anyway.
impl UnwindSafe for Lock {}
impl RefUnwindSafe for Lock {}

impl fmt::Debug for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lock")
            .field("backend", &self.kind.backend)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guards_and_locks_can_be_sent() {
        fn is_send<T: Send>() {}
        fn is_sync<T: Sync>() {}
        fn is_unwind_safe<T: UnwindSafe + RefUnwindSafe>() {}
        is_send::<LockGuard>();
        is_send::<Lock>();
        is_sync::<Lock>();
        is_unwind_safe::<Lock>();
        is_unwind_safe::<LockGuard>();
    }

    #[test]
    fn bad_names_are_errors_at_run_time() {
        for name in ["", "a\0b", &"n".repeat(98)] {
            let error = Lock::open(Backend::Port, name).unwrap_err();
            assert!(matches!(error, LockError::InvalidName { .. }), "{error}");
        }
    }
}
