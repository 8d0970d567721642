//! The stage: a converter on an I2C bus that several processes have open. It is a thread that processes connect
//! to. Like a real one it has one state, and does not know who talks to it.

use std::io::{self, Read, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use embedded_hal::i2c::{Error, ErrorKind, ErrorType, I2c, Operation};

const CONVERSION_TIME: Duration = Duration::from_millis(1);

/// What the converter finds at an input.
pub(crate) fn value_at(input: u8) -> u16 {
    1000 + u16::from(input)
}

struct Converter {
    input: u8,
    done: Instant,
    result: u16,
}

impl Converter {
    /// A conversion begins, also where one was under way.
    fn write(&mut self, input: u8) {
        self.input = input;
        self.done = Instant::now() + CONVERSION_TIME;
    }

    /// The last result: an old one if the conversion is not done.
    fn read(&mut self) -> u16 {
        if Instant::now() >= self.done {
            self.result = value_at(self.input);
        }
        self.result
    }
}

/// Starts the converter; `bus` is where processes find it.
pub(crate) fn start(bus: &str) -> io::Result<()> {
    let listener = UnixListener::bind_addr(&SocketAddr::from_abstract_name(bus)?)?;
    let converter = Arc::new(Mutex::new(Converter { input: 0, done: Instant::now(), result: 0 }));
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let converter = Arc::clone(&converter);
            // It ends when its process hangs up.
            thread::spawn(move || serve(client, &converter));
        }
    });
    Ok(())
}

fn serve(mut client: UnixStream, converter: &Mutex<Converter>) -> io::Result<()> {
    loop {
        let mut order = [0; 2];
        client.read_exact(&mut order)?;
        let mut converter = converter.lock().unwrap_or_else(PoisonError::into_inner);
        match order {
            [b'w', input] => {
                converter.write(input);
                client.write_all(&[0, 0])?;
            }
            _ => client.write_all(&converter.read().to_be_bytes())?,
        }
    }
}

/// The bus, as a process has it open.
pub(crate) struct Bus(UnixStream);

impl Bus {
    pub(crate) fn open(bus: &str) -> io::Result<Self> {
        UnixStream::connect_addr(&SocketAddr::from_abstract_name(bus)?).map(Self)
    }

    fn transfer(&mut self, order: [u8; 2]) -> Result<[u8; 2], BusError> {
        let mut reply = [0; 2];
        self.0.write_all(&order).and_then(|()| self.0.read_exact(&mut reply)).map_err(BusError)?;
        Ok(reply)
    }
}

#[derive(Debug)]
pub(crate) struct BusError(#[allow(dead_code)] io::Error); // for its `Debug`

impl Error for BusError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Bus
    }
}

impl ErrorType for Bus {
    type Error = BusError;
}

impl I2c for Bus {
    fn transaction(&mut self, _: u8, operations: &mut [Operation<'_>]) -> Result<(), BusError> {
        for operation in operations {
            match operation {
                Operation::Write(bytes) => {
                    for input in *bytes {
                        self.transfer([b'w', *input])?;
                    }
                }
                Operation::Read(bytes) => {
                    let reply = self.transfer(*b"r.")?;
                    let length = bytes.len().min(reply.len());
                    bytes[..length].copy_from_slice(&reply[..length]);
                }
            }
        }
        Ok(())
    }
}
