//! What all unixes have.

/// Has `install`, an `extern "C" fn()`, called before `main`. (Not under Miri, which has no such section.)
macro_rules! before_main {
    ($install:ident) => {
        #[cfg(not(miri))]
        #[used]
        #[cfg_attr(target_vendor = "apple", link_section = "__DATA,__mod_init_func")]
        #[cfg_attr(not(target_vendor = "apple"), link_section = ".init_array")]
        static AT_START: extern "C" fn() = $install;
    };
}

pub(crate) mod clock;
pub(crate) mod descriptors;
pub(crate) mod errno;
pub(crate) mod event;
pub(crate) mod file;
pub(crate) mod fork;
pub(crate) mod generation;
pub(crate) mod ids;
pub(crate) mod mapping;
pub(crate) mod poll;
