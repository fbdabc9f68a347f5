//! What the numbers are called: IANA's registries, as far as they are met in handshakes.

mod suites;

use suites::SUITES;

/// What a number is called that is in no table here.
pub(super) const UNKNOWN: &str = "unknown";
/// What a number is called that RFC 8701 reserves, so that peers learn to pass over the unknown.
const GREASE: &str = "GREASE";

/// A registry: the name of a number.
pub(super) type Registry = fn(u64) -> &'static str;

/// "TLS Cipher Suites".
pub(super) fn suite(code: u64) -> &'static str {
    wide(code, SUITES)
}

/// Versions as people write them (RFC 8446 4.2.1, RFC 5246 E.1).
pub(super) fn version(code: u64) -> &'static str {
    wide(
        code,
        &[
            (0x0200, "SSL 2.0"),
            (0x0300, "SSL 3.0"),
            (0x0301, "TLS 1.0"),
            (0x0302, "TLS 1.1"),
            (0x0303, "TLS 1.2"),
            (0x0304, "TLS 1.3"),
        ],
    )
}

/// "TLS ExtensionType Values".
pub(super) fn extension(code: u64) -> &'static str {
    wide(code, EXTENSIONS)
}

/// "TLS Supported Groups".
pub(super) fn group(code: u64) -> &'static str {
    wide(code, GROUPS)
}

/// "TLS SignatureScheme"; the pairs of hash and signature that TLS 1.2 had before.
pub(super) fn scheme(code: u64) -> &'static str {
    wide(code, SCHEMES)
}

/// "TLS HandshakeType".
pub(super) fn handshake(code: u64) -> &'static str {
    match code {
        0 => "HelloRequest",
        1 => "ClientHello",
        2 => "ServerHello",
        4 => "NewSessionTicket",
        5 => "EndOfEarlyData",
        8 => "EncryptedExtensions",
        11 => "Certificate",
        12 => "ServerKeyExchange",
        13 => "CertificateRequest",
        14 => "ServerHelloDone",
        15 => "CertificateVerify",
        16 => "ClientKeyExchange",
        20 => "Finished",
        21 => "CertificateURL",
        22 => "CertificateStatus",
        24 => "KeyUpdate",
        25 => "CompressedCertificate",
        254 => "message_hash",
        _ => "unknown handshake message",
    }
}

/// RFC 8446 4.2.9.
pub(super) fn psk_mode(code: u64) -> &'static str {
    narrow(code, &[(0, "psk_ke"), (1, "psk_dhe_ke")])
}

/// RFC 4492 5.1.2, RFC 8422 5.1.2.
pub(super) fn point_format(code: u64) -> &'static str {
    narrow(code, &[(0, "uncompressed"), (1, "ansiX962_compressed_prime"), (2, "ansiX962_compressed_char2")])
}

/// RFC 8422 5.4.
pub(super) fn curve_type(code: u64) -> &'static str {
    narrow(code, &[(1, "explicit_prime"), (2, "explicit_char2"), (3, "named_curve")])
}

/// RFC 6066 8.
pub(super) fn status_type(code: u64) -> &'static str {
    narrow(code, &[(1, "ocsp"), (2, "ocsp_multi")])
}

/// RFC 6066 3.
pub(super) fn name_type(code: u64) -> &'static str {
    narrow(code, &[(0, "host_name")])
}

/// RFC 6066 4.
pub(super) fn fragment_length(code: u64) -> &'static str {
    narrow(code, &[(1, "2^9"), (2, "2^10"), (3, "2^11"), (4, "2^12")])
}

/// RFC 8879 7.3.
pub(super) fn compression(code: u64) -> &'static str {
    narrow(code, &[(1, "zlib"), (2, "brotli"), (3, "zstd")])
}

/// RFC 5246 7.4.4, RFC 8422 5.5.
pub(super) fn certificate_type(code: u64) -> &'static str {
    narrow(
        code,
        &[
            (1, "rsa_sign"),
            (2, "dss_sign"),
            (3, "rsa_fixed_dh"),
            (4, "dss_fixed_dh"),
            (64, "ecdsa_sign"),
            (65, "rsa_fixed_ecdh"),
            (66, "ecdsa_fixed_ecdh"),
        ],
    )
}

/// RFC 8446 4.6.3.
pub(super) fn key_update(code: u64) -> &'static str {
    narrow(code, &[(0, "update_not_requested"), (1, "update_requested")])
}

/// RFC 9849 5.
pub(super) fn ech_type(code: u64) -> &'static str {
    narrow(code, &[(0, "outer"), (1, "inner")])
}

/// "HPKE KDF Identifiers" (RFC 9180 7.2).
pub(super) fn hpke_kdf(code: u64) -> &'static str {
    wide(code, &[(1, "HKDF-SHA256"), (2, "HKDF-SHA384"), (3, "HKDF-SHA512")])
}

/// "HPKE AEAD Identifiers" (RFC 9180 7.3).
pub(super) fn hpke_aead(code: u64) -> &'static str {
    wide(code, &[(1, "AES-128-GCM"), (2, "AES-256-GCM"), (3, "ChaCha20Poly1305"), (0xffff, "export-only")])
}

fn wide(code: u64, table: &[(u16, &'static str)]) -> &'static str {
    let Ok(code) = u16::try_from(code) else { return UNKNOWN };
    // RFC 8701 2: both bytes are the same and end in a.
    if code & 0x0f0f == 0x0a0a && code >> 8 == code & 0xff {
        return GREASE;
    }
    let found = table.binary_search_by_key(&code, |(number, _)| *number);
    found.ok().and_then(|index| table.get(index)).map_or(UNKNOWN, |(_, name)| name)
}

fn narrow(code: u64, table: &[(u8, &'static str)]) -> &'static str {
    table.iter().find(|(number, _)| u64::from(*number) == code).map_or(UNKNOWN, |(_, name)| name)
}

const EXTENSIONS: &[(u16, &str)] = &[
    (0, "server_name"),
    (1, "max_fragment_length"),
    (2, "client_certificate_url"),
    (3, "trusted_ca_keys"),
    (4, "truncated_hmac"),
    (5, "status_request"),
    (6, "user_mapping"),
    (7, "client_authz"),
    (8, "server_authz"),
    (9, "cert_type"),
    (10, "supported_groups"),
    (11, "ec_point_formats"),
    (12, "srp"),
    (13, "signature_algorithms"),
    (14, "use_srtp"),
    (15, "heartbeat"),
    (16, "application_layer_protocol_negotiation"),
    (17, "status_request_v2"),
    (18, "signed_certificate_timestamp"),
    (19, "client_certificate_type"),
    (20, "server_certificate_type"),
    (21, "padding"),
    (22, "encrypt_then_mac"),
    (23, "extended_master_secret"),
    (24, "token_binding"),
    (25, "cached_info"),
    (27, "compress_certificate"),
    (28, "record_size_limit"),
    (34, "delegated_credential"),
    (35, "session_ticket"),
    (41, "pre_shared_key"),
    (42, "early_data"),
    (43, "supported_versions"),
    (44, "cookie"),
    (45, "psk_key_exchange_modes"),
    (47, "certificate_authorities"),
    (48, "oid_filters"),
    (49, "post_handshake_auth"),
    (50, "signature_algorithms_cert"),
    (51, "key_share"),
    (52, "transparency_info"),
    (54, "connection_id"),
    (55, "external_id_hash"),
    (56, "external_session_id"),
    (57, "quic_transport_parameters"),
    (58, "ticket_request"),
    (59, "dnssec_chain"),
    (13172, "next_protocol_negotiation"),
    (17513, "application_settings"),
    (17613, "application_settings"),
    (0xfd00, "ech_outer_extensions"),
    (0xfe0d, "encrypted_client_hello"),
    (0xff01, "renegotiation_info"),
];

const GROUPS: &[(u16, &str)] = &[
    (1, "sect163k1"),
    (2, "sect163r1"),
    (3, "sect163r2"),
    (4, "sect193r1"),
    (5, "sect193r2"),
    (6, "sect233k1"),
    (7, "sect233r1"),
    (8, "sect239k1"),
    (9, "sect283k1"),
    (10, "sect283r1"),
    (11, "sect409k1"),
    (12, "sect409r1"),
    (13, "sect571k1"),
    (14, "sect571r1"),
    (15, "secp160k1"),
    (16, "secp160r1"),
    (17, "secp160r2"),
    (18, "secp192k1"),
    (19, "secp192r1"),
    (20, "secp224k1"),
    (21, "secp224r1"),
    (22, "secp256k1"),
    (23, "secp256r1"),
    (24, "secp384r1"),
    (25, "secp521r1"),
    (26, "brainpoolP256r1"),
    (27, "brainpoolP384r1"),
    (28, "brainpoolP512r1"),
    (29, "x25519"),
    (30, "x448"),
    (31, "brainpoolP256r1tls13"),
    (32, "brainpoolP384r1tls13"),
    (33, "brainpoolP512r1tls13"),
    (41, "curveSM2"),
    (256, "ffdhe2048"),
    (257, "ffdhe3072"),
    (258, "ffdhe4096"),
    (259, "ffdhe6144"),
    (260, "ffdhe8192"),
    (512, "MLKEM512"),
    (513, "MLKEM768"),
    (514, "MLKEM1024"),
    (4587, "SecP256r1MLKEM768"),
    (4588, "X25519MLKEM768"),
    (4589, "SecP384r1MLKEM1024"),
    (25497, "X25519Kyber768Draft00"),
];

const SCHEMES: &[(u16, &str)] = &[
    (0x0101, "md5 rsa"),
    (0x0201, "rsa_pkcs1_sha1"),
    (0x0202, "sha1 dsa"),
    (0x0203, "ecdsa_sha1"),
    (0x0301, "sha224 rsa"),
    (0x0302, "sha224 dsa"),
    (0x0303, "sha224 ecdsa"),
    (0x0401, "rsa_pkcs1_sha256"),
    (0x0402, "sha256 dsa"),
    (0x0403, "ecdsa_secp256r1_sha256"),
    (0x0501, "rsa_pkcs1_sha384"),
    (0x0502, "sha384 dsa"),
    (0x0503, "ecdsa_secp384r1_sha384"),
    (0x0601, "rsa_pkcs1_sha512"),
    (0x0602, "sha512 dsa"),
    (0x0603, "ecdsa_secp521r1_sha512"),
    (0x0708, "sm2sig_sm3"),
    (0x0804, "rsa_pss_rsae_sha256"),
    (0x0805, "rsa_pss_rsae_sha384"),
    (0x0806, "rsa_pss_rsae_sha512"),
    (0x0807, "ed25519"),
    (0x0808, "ed448"),
    (0x0809, "rsa_pss_pss_sha256"),
    (0x080a, "rsa_pss_pss_sha384"),
    (0x080b, "rsa_pss_pss_sha512"),
    (0x081a, "ecdsa_brainpoolP256r1tls13_sha256"),
    (0x081b, "ecdsa_brainpoolP384r1tls13_sha384"),
    (0x081c, "ecdsa_brainpoolP512r1tls13_sha512"),
    (0x0904, "mldsa44"),
    (0x0905, "mldsa65"),
    (0x0906, "mldsa87"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_is_in_the_order_of_its_numbers() {
        for table in [SUITES, EXTENSIONS, GROUPS, SCHEMES] {
            assert!(table.is_sorted_by(|a, b| a.0 < b.0));
        }
    }

    #[test]
    fn numbers_have_their_names() {
        assert_eq!(suite(0x1301), "TLS_AES_128_GCM_SHA256");
        assert_eq!(suite(0xc02f), "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256");
        assert_eq!(suite(0x00ff), "TLS_EMPTY_RENEGOTIATION_INFO_SCSV");
        assert_eq!(group(0x11ec), "X25519MLKEM768");
        assert_eq!((suite(0xeaea), suite(0xeafa), suite(0x1ffff)), (GREASE, UNKNOWN, UNKNOWN));
    }
}
