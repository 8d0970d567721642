//! Bare system calls, and the standard library's file lock: the floors.

use std::env;
use std::fs::File;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use lockattr_bench_contender::{Contender, Result};
use nix::fcntl::{self, FlockArg};
use socket2::{Domain, SockAddr, Socket, Type};

/// A file in the folder for temporary ones.
fn file(name: &str) -> Result<File> {
    Ok(File::options().create(true).append(true).open(env::temp_dir().join(name))?)
}

/// `flock`, which blocks.
pub(super) struct Flock(Option<File>);

impl Contender for Flock {
    fn open(name: &str) -> Result<Self> {
        file(name).map(Some).map(Self)
    }

    fn hold(&mut self, _: Duration, body: impl FnOnce()) -> Result<bool> {
        let file = self.0.take().ok_or("an unlock failed before")?;
        let locked =
            fcntl::Flock::lock(file, FlockArg::LockExclusive).map_err(|(_, error)| error)?;
        body();
        self.0 = Some(locked.unlock().map_err(|(_, error)| error)?);
        Ok(true)
    }
}

/// The standard library's, which blocks.
pub(super) struct StdFile(File);

impl Contender for StdFile {
    fn open(name: &str) -> Result<Self> {
        file(name).map(Self)
    }

    fn hold(&mut self, _: Duration, body: impl FnOnce()) -> Result<bool> {
        self.0.lock()?;
        body();
        self.0.unlock()?;
        Ok(true)
    }
}

/// `socket`, `bind`, `listen`, `close`: what a port lock costs at least. It knows no waiting.
pub(super) struct BoundSocket(SockAddr);

impl Contender for BoundSocket {
    fn open(name: &str) -> Result<Self> {
        Ok(Self(SockAddr::unix(format!("\0/raw/{name}"))?))
    }

    fn hold(&mut self, _: Duration, body: impl FnOnce()) -> Result<bool> {
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        socket.bind(&self.0)?;
        socket.listen(1)?;
        body();
        Ok(true)
    }
}

/// The same at two TCP ports, as a TCP lock has two of its three: two that are free.
pub(super) struct BoundPorts([SockAddr; 2]);

impl Contender for BoundPorts {
    fn open(_: &str) -> Result<Self> {
        let any = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0).into();
        let (one, other) = (listen_at(&any)?, listen_at(&any)?);
        Ok(Self([one.local_addr()?, other.local_addr()?]))
    }

    fn hold(&mut self, _: Duration, body: impl FnOnce()) -> Result<bool> {
        let _listeners = (listen_at(&self.0[0])?, listen_at(&self.0[1])?);
        body();
        Ok(true)
    }
}

fn listen_at(address: &SockAddr) -> Result<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(address)?;
    socket.listen(1)?;
    Ok(socket)
}

/// A pipe with one byte in it, which the holder has read: what it costs at least to wake a process. The bench makes
/// it, and writes the byte.
pub(super) struct Pipe(File);

impl Contender for Pipe {
    fn open(name: &str) -> Result<Self> {
        Ok(Self(File::options().read(true).write(true).open(env::temp_dir().join(name))?))
    }

    fn hold(&mut self, _: Duration, body: impl FnOnce()) -> Result<bool> {
        let mut byte = [0];
        self.0.read_exact(&mut byte)?;
        body();
        self.0.write_all(&byte)?;
        Ok(true)
    }
}
