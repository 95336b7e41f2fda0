// Package keystore holds accounts on disk and signs with them.
//
// An account is one file of Web3 Secret Storage, version 3: the format of
// go-ethereum, go-livepeer and most wallets, whose folders work as they are.
//
// Open names a folder (or one key file) and touches nothing. List reads the
// addresses, Find and Default choose an account, Unlock asks for its passphrase
// and returns a Signer. Deriving the key from the passphrase is slow on purpose
// (about a second), so everything that can fail without it is checked before.
//
//	store := keystore.Open(path)
//	account, err := store.Default()
//	signer, err := store.Unlock(ctx, account, keystore.PassphraseFile("pass.txt"))
//	defer signer.Close()
//
// New and Import write a file, ChangePassphrase replaces one. A file is written
// beside its destination, flushed, read back and decrypted before it takes its
// name: at every moment the destination is either the whole old file or the whole
// new one, and no file is ever replaced by another account's.
//
// Passphrases are byte slices, overwritten after use. That is a best effort: the
// key derivation underneath takes a copy, and the Go runtime may move memory.
package keystore
