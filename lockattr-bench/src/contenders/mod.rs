//! The contenders that are built into the bench: lockattr itself, and the bare system calls.

mod annotated;
mod by_hand;
mod raw;
mod raw_semaphore;

use std::process::ExitCode;

use lockattr_bench_contender::serve;

/// Is the worker of that contender, for the lock `name`.
pub(crate) fn work(contender: &str, name: &str) -> ExitCode {
    match contender {
        "port" => serve::<by_hand::Port>(name),
        "port-attribute" => serve::<annotated::Port>(name),
        "port-info" => serve::<annotated::PortWithInfo>(name),
        "port-captured" => serve::<annotated::PortCaptured>(name),
        "port-async" => serve::<annotated::PortAsync>(name),
        "semaphore" => serve::<by_hand::Semaphore>(name),
        "semaphore-attribute" => serve::<annotated::Semaphore>(name),
        "semaphore-info" => serve::<annotated::SemaphoreWithInfo>(name),
        "semaphore-captured" => serve::<annotated::SemaphoreCaptured>(name),
        "semaphore-async" => serve::<annotated::SemaphoreAsync>(name),
        "tcp" => serve::<by_hand::Tcp>(name),
        "tcp-attribute" => serve::<annotated::Tcp>(name),
        "std-file" => serve::<raw::StdFile>(name),
        "raw-flock" => serve::<raw::Flock>(name),
        "raw-socket" => serve::<raw::BoundSocket>(name),
        "raw-tcp" => serve::<raw::BoundPorts>(name),
        "raw-pipe" => serve::<raw::Pipe>(name),
        "raw-semaphore" => serve::<raw_semaphore::RawSemaphore>(name),
        _ => {
            println!("error no contender is called {contender}");
            ExitCode::FAILURE
        }
    }
}
