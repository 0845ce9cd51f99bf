//! Passwords: what may be one, and their hashes, which take a while and much memory on purpose.

use argon2::password_hash::PasswordHasher;
use argon2::password_hash::phc::{Output, PasswordHash};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use ring::rand::{SecureRandom, SystemRandom};

/// Memory of one hash, KiB: 19 MiB, with [`PASSES`] and one lane what OWASP's Password Storage Cheat Sheet asks for.
const MEMORY_KIB: u32 = 19_456;

/// Passes over the memory.
const PASSES: u32 = 2;

/// The most memory that a hash in the file may ask for, KiB: somebody's slip must not take the machine's.
const MOST_MEMORY_KIB: u32 = 65_536;

/// The most passes that a hash in the file may ask for.
const MOST_PASSES: u32 = 4;

/// The shortest password, characters.
const SHORTEST: usize = 10;

/// The longest password, bytes.
pub(crate) const LONGEST_BYTES: usize = 512;

/// The hash of a password nobody has: what is compared when the name is unknown, so that it takes as long.
const NOBODYS: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// A hash as the file has it: argon2id with salt, parameters within their bounds.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Hash(String);

/// Hashes stay out of logs.
impl std::fmt::Debug for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hash")
    }
}

impl Hash {
    /// Takes a hash up.
    ///
    /// # Errors
    ///
    /// A sentence, when it is none, or asks for too little or too much.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let no = || "no hash of argon2id: set it with lamon-web user password NAME".to_owned();
        let hash = PasswordHash::new(text).map_err(|_| no())?;
        let id = Algorithm::try_from(hash.algorithm.as_str()) == Ok(Algorithm::Argon2id);
        if !id || hash.version != Some(Version::V0x13.into()) || hash.salt.is_none() || hash.hash.is_none() {
            return Err(no());
        }
        let params = Params::try_from(&hash).map_err(|_| no())?;
        if !(MEMORY_KIB..=MOST_MEMORY_KIB).contains(&params.m_cost())
            || !(PASSES..=MOST_PASSES).contains(&params.t_cost())
            || params.p_cost() != 1
        {
            return Err(format!(
                "the hash asks for other than m={MEMORY_KIB} to {MOST_MEMORY_KIB}, t={PASSES} to {MOST_PASSES}, p=1"
            ));
        }
        Ok(Self(text.into()))
    }

    /// Hashes a password, with a salt of its own.
    ///
    /// # Errors
    ///
    /// A sentence, when it is too short or too long.
    pub(crate) fn of(password: &str) -> Result<Self, String> {
        if password.chars().count() < SHORTEST || password.len() > LONGEST_BYTES {
            return Err(format!(
                "a password has at least {SHORTEST} characters, and at most {LONGEST_BYTES} bytes"
            ));
        }
        let mut salt = [0; 16];
        SystemRandom::new().fill(&mut salt).map_err(|_| "the system gives no random numbers".to_owned())?;
        let params = Params::new(MEMORY_KIB, PASSES, 1, None).map_err(|error| error.to_string())?;
        let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let hash: PasswordHash =
            hasher.hash_password_with_salt(password.as_bytes(), &salt).map_err(|error| error.to_string())?;
        Ok(Self(hash.to_string()))
    }

    /// As it is written.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// The memory of comparisons, kept from one to the next: the system's allocator would keep several of them.
#[derive(Default)]
pub(crate) struct Memory(Vec<Block>);

/// Whether the password is that of the hash; no hash is nobody's, and takes as long. It blocks for tens of milliseconds.
pub(crate) fn verify(hash: Option<&Hash>, password: &str, memory: &mut Memory) -> bool {
    let text = hash.map_or(NOBODYS, Hash::as_str);
    let same = password.len() <= LONGEST_BYTES && compare(text, password, memory).unwrap_or(false);
    same && hash.is_some()
}

/// Whether a password has this hash; `None` when it is no hash.
fn compare(text: &str, password: &str, Memory(blocks): &mut Memory) -> Option<bool> {
    let hash = PasswordHash::new(text).ok()?;
    let (salt, wanted) = (hash.salt?, hash.hash?);
    let params = Params::try_from(&hash).ok()?;
    if blocks.len() < params.block_count() {
        blocks.resize(params.block_count(), Block::default());
    }
    let mut output = vec![0; wanted.len()];
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    argon2
        .hash_password_into_with_memory(password.as_bytes(), salt.as_ref(), &mut output, &mut *blocks)
        .ok()?;
    // Outputs are compared in constant time.
    Some(Output::new(&output).ok()? == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_known_again_and_no_other() {
        let hash = Hash::of("correct horse").unwrap();
        assert!(hash.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hash.as_str());
        assert_ne!(hash, Hash::of("correct horse").unwrap(), "salted");
        assert_eq!(Hash::parse(hash.as_str()).unwrap(), hash);
        let mut memory = Memory::default();
        assert!(verify(Some(&hash), "correct horse", &mut memory));
        for wrong in ["correct horsf", "", "correct horse "] {
            assert!(!verify(Some(&hash), wrong, &mut memory));
        }
        assert!(!verify(None, "correct horse", &mut memory));
        // Another one of more memory, as another program wrote it.
        let other = "$argon2id$v=19$m=20000,t=3,p=1$c29tZXNhbHRzb21lc2FsdA$";
        let salt = b"somesaltsomesalt";
        let mut output = [0; 32];
        let argon2 =
            Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(20_000, 3, 1, None).unwrap());
        argon2.hash_password_into(b"another password", salt, &mut output).unwrap();
        let other = Hash::parse(&format!("{other}{}", Output::new(&output).unwrap())).unwrap();
        assert!(verify(Some(&other), "another password", &mut memory));
        assert!(
            verify(Some(&hash), "correct horse", &mut memory),
            "what was left in the memory does not matter"
        );
        assert!(Hash::of("short").unwrap_err().contains("at least 10"));
        assert!(Hash::of(&"x".repeat(513)).is_err());
        assert!(!format!("{hash:?}").contains("argon"));
    }

    #[test]
    fn what_is_compared_for_unknown_names_is_a_hash_like_all() {
        assert!(Hash::parse(NOBODYS).is_ok());
    }

    #[test]
    fn hashes_of_other_kinds_or_greed_are_refused() {
        let rest = "$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        for start in [
            "$argon2i$v=19$m=19456,t=2,p=1",
            "$argon2id$v=16$m=19456,t=2,p=1",
            "$argon2id$v=19$m=4194304,t=2,p=1",
            "$argon2id$v=19$m=19456,t=2000,p=1",
            "$argon2id$v=19$m=64,t=1,p=1",
            "$argon2id$v=19$m=19456,t=2,p=8",
            "$2b$12",
        ] {
            assert!(Hash::parse(&format!("{start}{rest}")).is_err(), "{start}");
        }
        assert!(Hash::parse("$argon2id$v=19$m=19456,t=2,p=1").is_err(), "without a hash");
    }
}
