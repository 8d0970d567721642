//! What comes out for what goes in. After a change that is meant: `INSTA_UPDATE=always cargo test -p
//! lockattr-macros`, and read what changed.

use proc_macro2::TokenStream;
use quote::quote;

use crate::annotate;

fn expansion(args: TokenStream, item: &TokenStream) -> String {
    let expanded = annotate(args, item.clone());
    let file = syn::parse2(expanded.clone())
        .unwrap_or_else(|error| panic!("{error}, in what is no Rust:\n{expanded}"));
    prettyplease::unparse(&file)
}

macro_rules! snapshot {
    ($name:ident: #[interprocess_lock($($args:tt)*)] $($item:tt)*) => {
        #[test]
        fn $name() {
            let expansion = expansion(quote!($($args)*), &quote!($($item)*));
            insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
                insta::assert_snapshot!(stringify!($name), expansion);
            });
        }
    };
}

snapshot! { function:
    #[interprocess_lock("i2c-1", timeout = "2s")]
    /// Reads the temperature.
    #[must_use]
    pub(crate) fn read() -> Result<f32, SensorError> {
        let raw = bus.read(0xfa)?;
        Ok(f32::from(raw) / 16.0)
    }
}

snapshot! { arguments:
    #[interprocess_lock("i2c-1")]
    fn write<'a, T: Copy>(
        &'a mut self,
        register: u8,
        mut names: Vec<String>,
        (low, _): (T, T),
        ref name: String,
        _: T,
        _unused: T,
        (x, y): (u8, &T),
        #[cfg(unix)]
        #[other::macros]
        #[expect(unused_variables)]
        Speed { hertz }: Speed,
    ) -> io::Result<&'a T>
    where
        T: Send,
    {
        Ok(&self.value)
    }
}

snapshot! { derived_name:
    #[interprocess_lock()]
    fn r#move() -> io::Result<()> {
        Ok(())
    }
}

snapshot! { const_name:
    #[interprocess_lock(names::I2C_1, timeout = "none")]
    fn read() -> io::Result<()> {
        Ok(())
    }
}

snapshot! { info:
    #[interprocess_lock("{{i2c}}", info = "resets {{1}}", timeout = "0s")]
    fn reset(bus: Bus) -> io::Result<()> {
        bus.reset()
    }
}

snapshot! { other_facade:
    #[interprocess_lock("i2c-1", crate = "hal::lockattr")]
    fn read() -> io::Result<()> {
        Ok(())
    }
}

snapshot! { foreign:
    #[interprocess_lock("i2c-1")]
    #[no_mangle]
    unsafe extern "C" fn read(n: u32) -> Outcome {
        #![allow(unused_variables)]
        Outcome::from(n)
    }
}

snapshot! { captures:
    #[interprocess_lock("i2c-{bus:02}", info = "reads {self.channel} of {bus} at {path}", timeout = patience.read)]
    fn read(&self, bus: u8, patience: Patience, path: &Path) -> io::Result<u8> {
        Ok(bus)
    }
}

snapshot! { several:
    #[interprocess_lock(["i2c-1", names::RESET, "gpio-{self.pin}"], reentrant, backend = "port")]
    fn reset(&self) -> io::Result<()> {
        Ok(())
    }
}

snapshot! { semaphore:
    #[interprocess_lock("/i2c-1", backend = "semaphore")]
    fn read() -> io::Result<()> {
        Ok(())
    }
}

snapshot! { semaphores_with_a_mode:
    #[interprocess_lock(["i2c-1", names::RESET, "gpio-{pin}"], backend = "semaphore", mode = 0o6_60)]
    fn reset(pin: u8) -> io::Result<()> {
        Ok(())
    }
}

snapshot! { handlers:
    #[interprocess_lock("i2c-1", or_else = |_| default, on_recover = Self::reset)]
    fn read(&mut self, default: Value, bus: Bus) -> Value {
        bus.read()
    }
}

#[cfg(feature = "async")]
snapshot! { async_fn:
    #[interprocess_lock("i2c-{bus}", timeout = "2s")]
    async fn read(bus: u8) -> io::Result<u8> {
        read_from(bus).await
    }
}

#[cfg(feature = "async")]
snapshot! { async_trait:
    #[interprocess_lock("i2c-1", info = "reads {channel}")]
    fn read<'a>(&'a self, channel: u8) -> Pin<Box<dyn Future<Output = io::Result<u8>> + Send + 'a>> {
        Box::pin(async move {
            let __self = self;
            __self.bus.read(channel).await
        })
    }
}

#[cfg(feature = "async")]
snapshot! { async_block:
    #[interprocess_lock("i2c-1")]
    fn read(channel: u8) -> impl Future<Output = io::Result<u8>> {
        async move { Ok(channel) }.boxed()
    }
}

snapshot! { names_of_generic_types:
    #[interprocess_lock([Self::BUS, "{T::NAME}-1", concat!("a", "b")], backend = "semaphore", mode = 0o660)]
    fn read() -> io::Result<()> {
        Ok(())
    }
}

snapshot! { decided_later_in_a_devices_block:
    #[interprocess_lock(device = "/dev/i2c-1", timeout = "2s")]
    impl Sensor {
        #[maybe_async::maybe_async]
        async fn read(&mut self) -> io::Result<()> {
            self.bus.read().await
        }
    }
}

snapshot! { device:
    #[interprocess_lock(device = "/dev/{self.name}", join = [self.port, "uucp"], backend = "semaphore")]
    fn read(&mut self) -> io::Result<()> {
        Ok(())
    }
}

snapshot! { block:
    #[interprocess_lock(timeout = "2s")]
    /// A driver.
    impl<T: Bus<{ 1 }>> Driver<T> {
        const PORT: u8 = 1;

        #[interprocess_lock(skip)]
        const fn new(bus: T) -> Self {
            Self { bus }
        }

        pub(crate) fn read(&mut self) -> io::Result<u8> {
            self.bus.read(Self::PORT)
        }

        #[cfg_attr(feature = "gpio", interprocess_lock("gpio-17"))]
        fn reset(&self) -> io::Result<()> {
            Ok(())
        }
    }
}

snapshot! { mistakes_in_a_block:
    #[interprocess_lock("i2c-{low}", skipp)]
    impl Driver {
        const fn new() -> Self {
            Self
        }

        #[interprocess_lock(skip)]
        fn other(&self) {}
    }
}

snapshot! { mistakes:
    #[interprocess_lock("", timout = "2s")]
    const fn read() -> io::Result<()> {
        Ok(())
    }
}

/// What may stand in the parentheses, by somebody who does not know.
const ARGS: &[&str] = &[
    "",
    ",",
    ",,",
    "=",
    "\"",
    "timeout",
    "timeout =",
    "timeout = ,",
    "timeout = = 2",
    "timeout()",
    "crate",
    "crate = ",
    "crate = crate",
    "crate = \"\"",
    "crate = \"a b\"",
    "crate = \"::\"",
    "info = \"{}\"",
    "[",
    "[]",
    "{}",
    "()",
    "::",
    "a::",
    "a::<u8>::B",
    "<A as B>::C",
    "<A>",
    "Self",
    "self",
    "r#timeout = \"2s\"",
    "'a",
    "\"a\" \"b\"",
    "\"a\",",
    "\"a\",,",
    "1.5",
    "c\"a\"",
    "b'a'",
    "-1",
    "!",
    "#",
    "#[a]",
    "fn",
    "timeout = \"1s\"x, y z",
    "timeout = { , }",
    "_",
    "skip",
    "reentrant",
    "reentrant = ",
    "or_else = |",
    "or_else = |e| e,",
    "on_recover = {",
    "on_recover = a::b",
    "backend = \"\"",
    "mode",
    "mode = ",
    "mode = -1",
    "mode = 0o8",
    "mode = 0o660, backend = \"semaphore\"",
    "mode = 0o660u8",
    "mode = 0xfffffffffffffffffffffffff",
    "mode = \"\"",
    "mode = \"0o\"",
    "mode = !0",
    "\"{}\"",
    "\"{a.b.0}\"",
    "\"{a.}\"",
    "\"{r#a}\"",
    "\"{a:b$}\"",
    "\"{a:}}\"",
    "\"{'a}\"",
    "\"{\\\"}\"",
    "\"{99999999999.1}\"",
    "\"{a.4294967296}\"",
    "[\"a\" \"b\"]",
    "[a, , b]",
    "[[a]]",
    "timeout = a::B",
    "timeout = a::B()",
    "timeout = <",
];

const ITEMS: &[&str] = &[
    "",
    ";",
    "fn",
    "fn f",
    "fn f()",
    "fn f();",
    "fn f() {}",
    "fn f() -> {}",
    "fn f(self, : u8) {}",
    "fn f() -> () {} fn g() {}",
    "const",
    "const X: u8 = 1;",
    "impl",
    "unsafe impl A for B {}",
    "pub",
    "pub(crate) struct A;",
    "#[a]",
    "#![a]",
    "macro_rules! a { () => {} }",
    "a!();",
    "x + 1",
    "fn f() -> (u8, [u8; 2]) { #![allow(x)] }",
    "fn f() { #![ }",
    "safe fn f();",
    "extern \"C\" {}",
    "fn f(...) {}",
    "unsafe extern \"C\" fn f(a: u8, ...) {}",
    "async unsafe fn f() {}",
    "async fn f(a: u8, (b, c): (u8, u8)) {}",
    "fn f() -> Pin<Box<A>> { Box::pin(async move { 1 }) }",
    "fn f() -> Pin<Box<A>> { Box::pin(async) }",
    "fn f() -> Pin { pin(async {}) }",
    "impl A {}",
    "impl A { fn }",
    "impl A { fn f(); }",
    "impl A { fn f() {} async fn g() {} const A: u8 = 1; a!(); type B = C; }",
    "impl { }",
    "impl A for B { #![a] #[interprocess_lock(skip)] fn f() {} }",
    "impl<const N: u8> A<{ 1 }> where { fn f() {} }",
    "impl A; ",
    "impl (A, B) { fn f() {} }",
];

/// Whatever the attribute's arguments and item are, out comes Rust.
#[test]
fn no_tokens_make_it_panic() {
    for args in ARGS {
        for item in ITEMS {
            // Not everything is a token to begin with.
            if let (Ok(args), Ok(item)) = (args.parse(), item.parse()) {
                let _: TokenStream = annotate(args, item);
            }
        }
    }
}
