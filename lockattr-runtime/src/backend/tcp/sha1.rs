//! SHA-1 (RFC 3174), by which k3portlock computes ports. Nothing is kept secret by it.

/// The digest of `message`, as five words.
pub(super) fn digest(message: &[u8]) -> [u32; 5] {
    let mut padded = message.to_vec();
    padded.push(0x80);
    while padded.len() % 64 != 56 {
        padded.push(0);
    }
    padded.extend((message.len() as u64 * 8).to_be_bytes());
    let start = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
    padded.chunks_exact(64).fold(start, block)
}

#[allow(clippy::many_single_char_names)] // the standard's
fn block(state: [u32; 5], block: &[u8]) -> [u32; 5] {
    let mut words = [0_u32; 80];
    for (word, bytes) in words.iter_mut().zip(block.chunks_exact(4)) {
        *word = bytes.iter().fold(0, |word, byte| word << 8 | u32::from(*byte));
    }
    for at in 16..80 {
        let mixed = words[at - 3] ^ words[at - 8] ^ words[at - 14] ^ words[at - 16];
        words[at] = mixed.rotate_left(1);
    }
    let [mut a, mut b, mut c, mut d, mut e] = state;
    for (at, word) in words.into_iter().enumerate() {
        let (mixed, constant) = match at / 20 {
            0 => (b & c | !b & d, 0x5a82_7999),
            1 => (b ^ c ^ d, 0x6ed9_eba1),
            2 => (b & c | b & d | c & d, 0x8f1b_bcdc),
            _ => (b ^ c ^ d, 0xca62_c1d6_u32),
        };
        let sum = a.rotate_left(5).wrapping_add(mixed).wrapping_add(e);
        let sum = sum.wrapping_add(constant).wrapping_add(word);
        (a, b, c, d, e) = (sum, a, b.rotate_left(30), c, d);
    }
    let rounds = [a, b, c, d, e];
    [0, 1, 2, 3, 4].map(|at| state[at].wrapping_add(rounds[at]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_of_another_implementation() {
        for length in 0..300 {
            let message: Vec<u8> = (0..length).map(|at: u16| (at * 7).to_be_bytes()[1]).collect();
            let expected = sha1_smol::Sha1::from(&message).digest().bytes();
            let found: Vec<u8> = digest(&message).into_iter().flat_map(u32::to_be_bytes).collect();
            assert_eq!(found, expected, "{length}");
        }
    }
}
