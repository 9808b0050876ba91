//! RFC 7541, proven on hpack-lite.

mod appendix_c;
mod decoder_rules;
mod encoder_rules;
mod hpack_test_case;
mod properties;
mod support;
