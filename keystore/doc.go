// Package keystore stores accounts on disk and signs with them.
//
// An account is one file of Web3 Secret Storage, version 3: the format of go-ethereum, go-livepeer
// and most wallets, whose folders can be used as they are.
//
// Open names a folder or a single key file, and reads nothing. List reads the addresses, Find and
// Default choose an account, and Unlock asks for its passphrase and returns a Signer. Deriving the
// key from the passphrase is deliberately slow (about a second), so whatever can fail without it is
// checked first.
//
//	store := keystore.Open(path)
//	account, err := store.Default()
//	signer, err := store.Unlock(ctx, account, keystore.PassphraseFile("pass.txt"))
//	defer signer.Close()
//
// New and Import write a file, ChangePassphrase replaces one. A file is written beside its
// destination, synced, read back and decrypted before it gets its name: the destination is always
// either the complete old file or the complete new one, and no file is ever replaced by another
// account's.
//
// Passphrases are byte slices that are overwritten after use. That is best effort: the key
// derivation copies them, and the Go runtime may move memory.
package keystore
