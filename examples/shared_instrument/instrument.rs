//! The instrument: a voltmeter of four channels at the far end of a pseudo-terminal. It speaks a
//! little SCPI, at the pace of a serial line:
//!
//! ```text
//! MEAS:VOLT? 3    CH3 +3.0142
//! CAL             CAL OK          (after two seconds)
//! ```
//!
//! Like a real one, it says nothing to a command that it does not understand.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::ops::RangeInclusive;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::pty::{grantpt, posix_openpt, ptsname_r, unlockpt, PtyMaster};
use nix::sys::termios::{self, SetArg, SpecialCharacterIndices};

/// A start bit, eight data bits and a stop bit at 115200 baud.
const BYTE_TIME: Duration = Duration::from_micros(87);
const MEASURING_TIME: Duration = Duration::from_micros(500);
const CALIBRATION_TIME: Duration = Duration::from_secs(2);
const CHANNELS: RangeInclusive<u8> = 1..=4;
const LONGEST_COMMAND: usize = 64;

/// A running instrument, and the near end of its line.
pub(crate) struct Instrument {
    path: String,
    /// While it is open, the line stays up between two clients.
    near_end: File,
    calibrations: Receiver<()>,
    server: JoinHandle<io::Result<()>>,
}

impl Instrument {
    pub(crate) fn start() -> io::Result<Self> {
        // CLOEXEC: a client that inherited this end could never see the instrument go away.
        let far_end = posix_openpt(OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC)?;
        grantpt(&far_end)?;
        unlockpt(&far_end)?;
        let path = ptsname_r(&far_end)?;
        let near_end = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(OFlag::O_NOCTTY.bits())
            .open(&path)?;
        // Raw before anybody speaks: a terminal would echo every command back to the instrument.
        let mut settings = termios::tcgetattr(&near_end)?;
        termios::cfmakeraw(&mut settings);
        termios::tcsetattr(&near_end, SetArg::TCSANOW, &settings)?;

        let (started, calibrations) = mpsc::channel();
        let server = thread::spawn(move || serve(far_end, &started));
        Ok(Self { path, near_end, calibrations, server })
    }

    /// Where clients find it.
    pub(crate) fn tty(&self) -> &str {
        &self.path
    }

    /// Lets a `read` of the line that finds nothing come back empty. To be called when every client
    /// has opened the line, for each sets it to wait.
    ///
    /// serialport polls before it reads, with a timeout. Without a lock another client may have
    /// read the byte in between, and the `read` would wait for the next one for ever.
    pub(crate) fn make_reads_return(&self) -> io::Result<()> {
        let mut settings = termios::tcgetattr(&self.near_end)?;
        settings.control_chars[SpecialCharacterIndices::VMIN as usize] = 0;
        settings.control_chars[SpecialCharacterIndices::VTIME as usize] = 0;
        termios::tcsetattr(&self.near_end, SetArg::TCSANOW, &settings)?;
        Ok(())
    }

    /// Waits until a client has the instrument calibrate itself.
    pub(crate) fn wait_for_calibration(&self, timeout: Duration) -> Result<(), RecvTimeoutError> {
        self.calibrations.recv_timeout(timeout)
    }

    /// Ends it. No client may have the line open any more.
    pub(crate) fn stop(self) -> io::Result<()> {
        drop(self.near_end);
        self.server.join().map_err(|_| io::Error::other("the instrument panicked"))?
    }
}

fn serve(mut line: PtyMaster, calibrations: &Sender<()>) -> io::Result<()> {
    let mut command = Vec::new();
    loop {
        let mut byte = [0];
        match line.read(&mut byte) {
            Ok(0) => return Ok(()),
            Ok(_) if byte == *b"\n" => {
                let reply = reply_to(&command, calibrations).unwrap_or_default();
                for byte in reply.bytes() {
                    thread::sleep(BYTE_TIME);
                    line.write_all(&[byte])?;
                }
                command.clear();
            }
            Ok(_) if command.len() == LONGEST_COMMAND => command.clear(),
            Ok(_) => command.extend(byte),
            // The near end was closed for the last time: this is how a pseudo-terminal hangs up.
            Err(error) if error.raw_os_error() == Some(Errno::EIO as i32) => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}

fn reply_to(command: &[u8], calibrations: &Sender<()>) -> Option<String> {
    let command = std::str::from_utf8(command).ok()?;
    if command == "CAL" {
        // Nobody may be listening for this, and the instrument calibrates itself all the same.
        let _ = calibrations.send(());
        thread::sleep(CALIBRATION_TIME);
        return Some("CAL OK\n".to_owned());
    }
    let channel: u8 = command.strip_prefix("MEAS:VOLT? ")?.parse().ok()?;
    CHANNELS.contains(&channel).then(|| {
        thread::sleep(MEASURING_TIME);
        format!("CH{channel} {:+.4}\n", f64::from(channel) * 1.0047)
    })
}
