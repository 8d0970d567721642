//! The time at a text's start, in local time: `2024-10-20 16:00:51.864484 - `.

use std::cell::Cell;

use crate::calendar::{date, days};
use crate::sys::clock;

/// The bytes before the info: the time, and ` - `.
pub(crate) const STAMP_BYTES: usize = "2024-10-20 16:00:51.864484 - ".len();
pub(super) const STAMP_WORDS: usize = STAMP_BYTES.div_ceil(8);

/// `2024-10-20 16:00:51.864484 - `, and NULs up to a whole word. This is on the way of every acquire, so
/// all but the microseconds is kept until the next second.
#[inline]
pub(super) fn stamp(wall: u64) -> [u64; STAMP_WORDS] {
    thread_local! {
        static LAST: Cell<(u64, [u64; STAMP_WORDS])> = const { Cell::new((0, [0; STAMP_WORDS])) };
    }
    let second = wall / 1_000_000_000;
    // Fails only while the thread ends.
    let [first, middle, last, _] = match LAST.try_with(Cell::get) {
        Ok((known, stamp)) if known == second && second != 0 => stamp,
        _ => {
            let stamp = whole_second(second);
            let _ = LAST.try_with(|last| last.set((second, stamp)));
            stamp
        }
    };
    #[allow(clippy::cast_possible_truncation)] // less than a billion
    let micros = (wall - second * 1_000_000_000) as u32 / 1_000;
    // Bytes 20 to 26, in whole words.
    let (mut last, mut end) = (last.to_ne_bytes(), *b"00 - \0\0\0");
    last[4..6].copy_from_slice(&two_digits(micros / 10_000));
    last[6..].copy_from_slice(&two_digits(micros / 100 % 100));
    end[..2].copy_from_slice(&two_digits(micros % 100));
    [first, middle, u64::from_ne_bytes(last), u64::from_ne_bytes(end)]
}

/// Of a number below 100.
#[inline]
fn two_digits(number: u32) -> [u8; 2] {
    const ALL: [[u8; 2]; 100] = {
        let (mut all, mut number) = ([[0; 2]; 100], 0);
        while number < 100 {
            #[allow(clippy::cast_possible_truncation)] // below 100
            let (tens, ones) = ((number / 10) as u8, (number % 10) as u8);
            all[number] = [b'0' + tens, b'0' + ones];
            number += 1;
        }
        all
    };
    ALL[number as usize % 100]
}

const BLANK: &[u8; STAMP_WORDS * 8] = b"0000-00-00 00:00:00.000000 - \0\0\0";

#[cold]
fn whole_second(second: u64) -> [u64; STAMP_WORDS] {
    let local = i64::try_from(second).unwrap_or(i64::MAX).saturating_add(clock::utc_offset(second));
    let (year, month, day) = date(local.div_euclid(86_400));
    let second = local.rem_euclid(86_400);

    let mut stamp = *BLANK;
    let mut put = |at: usize, digits: usize, number: i64| {
        let mut rest = number;
        for place in stamp[at..at + digits].iter_mut().rev() {
            *place = b'0' + u8::try_from(rest % 10).unwrap_or(0);
            rest /= 10;
        }
    };
    put(0, 4, year);
    put(5, 2, month);
    put(8, 2, day);
    put(11, 2, second / 3600);
    put(14, 2, second / 60 % 60);
    put(17, 2, second % 60);
    std::array::from_fn(|word| stamp[word * 8..][..8].try_into().map_or(0, u64::from_ne_bytes))
}

/// Whether a text begins with a time, whatever the numbers in it. Any program can have written it.
pub(crate) fn is_stamped(text: &[u8]) -> bool {
    let is_like = |(form, byte): (&u8, &u8)| match form {
        b'0' => byte.is_ascii_digit(),
        _ => form == byte,
    };
    text.get(..STAMP_BYTES).is_some_and(|stamp| std::iter::zip(BLANK, stamp).all(is_like))
}

/// The time at a text's start, as nanoseconds since 1970: local time, so an hour off if summer time
/// began or ended since. None if the text is not of this form, or the time none that 64 bits can hold.
pub(crate) fn time(text: &[u8]) -> Option<u64> {
    if !is_stamped(text) {
        return None;
    }
    let stamp = std::str::from_utf8(&text[..STAMP_BYTES]).ok()?;
    let number = |from: usize, digits: usize| stamp.get(from..from + digits)?.parse::<i64>().ok();
    let days = days(number(0, 4)?, number(5, 2)?, number(8, 2)?);
    let seconds = number(11, 2)? * 3600 + number(14, 2)? * 60 + number(17, 2)?;
    let micros = u64::try_from(number(20, 6)?).ok()?;
    let local = days * 86_400 + seconds;
    let utc = local - clock::utc_offset(u64::try_from(local).ok()?);
    // The year has four digits, and the last one that fits is 2554.
    u64::try_from(utc).ok()?.checked_mul(1_000_000_000)?.checked_add(micros * 1_000)
}
