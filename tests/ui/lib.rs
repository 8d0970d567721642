//! Nothing: trybuild hands features on to packages with a library only.
