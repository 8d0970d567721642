//! `async fn`s, and `#[async_trait]` above and below.

use std::future::Future;
use std::io::Result;
use std::pin::Pin;

use async_trait::async_trait;
use futures_lite::future::{block_on, yield_now};
use shapes::{interprocess_lock, is_held};

use super::name;

const LOCK: &str = name!("shapes-futures");

#[interprocess_lock(LOCK)]
async fn plain(mut text: String, (a, _): (u8, String), slice: &[u8]) -> Result<String> {
    yield_now().await;
    assert!(is_held(LOCK));
    text.push('!');
    Ok(format!("{}{}{}", text, a, slice.len()))
}

#[interprocess_lock(LOCK)]
async fn generic<'a, T>(value: &'a T, text: impl Into<String>) -> Result<(&'a T, String)>
where
    T: Sync,
{
    yield_now().await;
    Ok((value, text.into()))
}

#[interprocess_lock(LOCK)]
fn boxed<'a>(text: &'a str) -> Pin<Box<dyn Future<Output = Result<usize>> + Send + 'a>> {
    Box::pin(async move {
        yield_now().await;
        assert!(is_held(LOCK));
        Ok(text.len())
    })
}

#[interprocess_lock(LOCK)]
fn opaque(n: u8) -> impl Future<Output = Result<u8>> {
    async move {
        yield_now().await;
        Ok(n)
    }
}

#[async_trait]
trait Sensor<T: Send + Sync + 'static> {
    async fn read(&mut self, value: T, (left, _): (String, u8)) -> Result<(T, String)>;

    #[interprocess_lock(LOCK)]
    async fn provided(&self, _: T) -> Result<bool> {
        yield_now().await;
        Ok(is_held(LOCK))
    }

    async fn associated(text: &str) -> Result<usize>
    where
        Self: Sized;
}

struct ByMethod(u8);

#[async_trait]
impl<T: Send + Sync + 'static> Sensor<T> for ByMethod {
    #[interprocess_lock(LOCK)]
    async fn read(&mut self, value: T, (left, _): (String, u8)) -> Result<(T, String)> {
        yield_now().await;
        assert!(is_held(LOCK));
        self.0 += 1;
        Ok((value, left))
    }

    #[interprocess_lock(LOCK)]
    async fn associated(text: &str) -> Result<usize> {
        Ok(text.len())
    }
}

struct Above(u8);

#[interprocess_lock(LOCK)]
#[async_trait]
impl<T: Send + Sync + 'static> Sensor<T> for Above {
    async fn read(&mut self, value: T, (left, _): (String, u8)) -> Result<(T, String)> {
        yield_now().await;
        assert!(is_held(LOCK));
        self.0 += 1;
        Ok((value, left))
    }

    async fn associated(text: &str) -> Result<usize> {
        Ok(text.len())
    }
}

struct Below(u8);

#[async_trait]
#[interprocess_lock(LOCK)]
impl<T: Send + Sync + 'static> Sensor<T> for Below {
    async fn read(&mut self, value: T, (left, _): (String, u8)) -> Result<(T, String)> {
        yield_now().await;
        assert!(is_held(LOCK));
        self.0 += 1;
        Ok((value, left))
    }

    async fn associated(text: &str) -> Result<usize> {
        Ok(text.len())
    }
}

#[test]
fn hold_while_they_run() {
    let text = || "a".to_owned();
    assert_eq!(block_on(plain(text(), (1, text()), &[1, 2])).unwrap(), "a!12");
    assert_eq!(block_on(generic(&1, "b")).unwrap(), (&1, "b".to_owned()));
    assert_eq!(block_on(boxed("abc")).unwrap(), 3);
    assert_eq!(block_on(opaque(7)).unwrap(), 7);
    let sensors: [&mut dyn Dynamic; 3] = [&mut ByMethod(0), &mut Above(0), &mut Below(0)];
    for sensor in sensors {
        sensor.check();
    }
    for length in [
        block_on(<ByMethod as Sensor<u8>>::associated("abc")),
        block_on(<Above as Sensor<u8>>::associated("abc")),
        block_on(<Below as Sensor<u8>>::associated("abc")),
    ] {
        assert_eq!(length.unwrap(), 3);
    }
    assert!(!is_held(LOCK));
}

trait Dynamic {
    fn check(&mut self);
}

impl<S: Sensor<u8> + Sync> Dynamic for S {
    fn check(&mut self) {
        assert_eq!(block_on(self.read(7, ("l".to_owned(), 0))).unwrap(), (7, "l".to_owned()));
        assert!(block_on(self.provided(7)).unwrap());
    }
}
