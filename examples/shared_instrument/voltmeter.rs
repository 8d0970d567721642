//! The driver: what a user of lockattr writes. Nothing in here is about locks but the two
//! attributes, and one variant of the error.

use std::fmt;
use std::io::{self, Read, Write};
use std::thread;
use std::time::{Duration, Instant};

use lockattr::{interprocess_lock, LockError};
use serialport::{ClearBuffer, SerialPort, TTYPort};

const BAUD_RATE: u32 = 115_200;
const REPLY_TIMEOUT: Duration = Duration::from_millis(250);
const CALIBRATION_TIMEOUT: Duration = Duration::from_secs(4);

/// A voltmeter on a serial line that several processes have open.
pub(crate) struct Voltmeter {
    port: TTYPort,
}

impl Voltmeter {
    pub(crate) fn open(tty: &str) -> Result<Self, MeterError> {
        let port = serialport::new(tty, BAUD_RATE)
            .timeout(REPLY_TIMEOUT)
            // The lock shares the line query by query: no process needs it to itself for good.
            .exclusive(false)
            .open_native()?;
        Ok(Self { port })
    }

    /// Measures one channel, in volts. No other process talks to the meter meanwhile.
    #[interprocess_lock("demo-instrument", timeout = "1s")]
    pub(crate) fn voltage(&mut self, channel: u8) -> Result<f64, MeterError> {
        self.measure(channel)
    }

    /// Calibrates the meter, which takes it some seconds.
    #[interprocess_lock("demo-instrument", timeout = "1s")]
    pub(crate) fn calibrate(&mut self) -> Result<(), MeterError> {
        match self.query("CAL", CALIBRATION_TIMEOUT)?.as_str() {
            "CAL OK" => Ok(()),
            other => Err(MeterError::Garbled(other.to_owned())),
        }
    }

    /// As [`voltage`](Self::voltage), and whoever else talks to the meter is not kept out.
    pub(crate) fn voltage_unlocked(&mut self, channel: u8) -> Result<f64, MeterError> {
        self.measure(channel)
    }

    fn measure(&mut self, channel: u8) -> Result<f64, MeterError> {
        let reply = self.query(&format!("MEAS:VOLT? {channel}"), REPLY_TIMEOUT)?;
        parse_voltage(&reply, channel).ok_or(MeterError::Garbled(reply))
    }

    fn query(&mut self, command: &str, timeout: Duration) -> Result<String, MeterError> {
        // What an earlier query left behind would be taken for this one's reply.
        self.port.clear(ClearBuffer::Input)?;
        self.send(command)?;
        self.receive_line(timeout)
    }

    /// Many a meter loses characters that come without a pause, so its drivers write in pieces.
    fn send(&mut self, command: &str) -> io::Result<()> {
        for piece in format!("{command}\n").as_bytes().chunks(4) {
            self.port.write_all(piece)?;
            thread::sleep(Duration::from_micros(200));
        }
        Ok(())
    }

    fn receive_line(&mut self, timeout: Duration) -> Result<String, MeterError> {
        let deadline = Instant::now() + timeout;
        let mut line = Vec::new();
        while !line.ends_with(b"\n") {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(MeterError::NoReply);
            }
            self.port.set_timeout(left)?;
            let mut byte = [0];
            match self.port.read(&mut byte) {
                Ok(count) => line.extend_from_slice(&byte[..count]),
                Err(error) if error.kind() == io::ErrorKind::TimedOut => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
    }
}

/// The meter says which channel it measured, and in a fixed width: `CH3 +3.0142`.
fn parse_voltage(reply: &str, channel: u8) -> Option<f64> {
    let volts = reply.strip_prefix(&format!("CH{channel} "))?;
    (volts.len() == "+3.0142".len()).then_some(volts)?.parse().ok()
}

/// What can go wrong with the meter.
#[derive(Debug)]
pub(crate) enum MeterError {
    /// Another process had the meter for too long.
    Busy(LockError),
    /// The serial port failed.
    Port(io::Error),
    /// No whole line came within the time that the meter has for a reply.
    NoReply,
    /// A line came, and it is no reply to what was asked.
    Garbled(String),
}

/// All that the attribute asks of an error type.
impl From<LockError> for MeterError {
    fn from(error: LockError) -> Self {
        Self::Busy(error)
    }
}

impl From<io::Error> for MeterError {
    fn from(error: io::Error) -> Self {
        Self::Port(error)
    }
}

impl From<serialport::Error> for MeterError {
    fn from(error: serialport::Error) -> Self {
        Self::Port(error.into())
    }
}

impl fmt::Display for MeterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy(error) => error.fmt(f),
            Self::Port(error) => write!(f, "serial port: {error}"),
            Self::NoReply => f.write_str("the meter did not reply"),
            Self::Garbled(reply) => write!(f, "garbled reply {reply:?}"),
        }
    }
}

impl std::error::Error for MeterError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Busy(error) => Some(error),
            Self::Port(error) => Some(error),
            Self::NoReply | Self::Garbled(_) => None,
        }
    }
}
