package model

import (
	"crypto/ecdsa"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"

	"github.com/ethereum/go-ethereum/accounts/keystore"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/google/uuid"
)

const passphrase = "correct horse"

// writeKey writes a key file that is fast to open.
func writeKey(folder string, key *ecdsa.PrivateKey) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	const n, p = 2, 1
	sealed, err := keystore.EncryptDataV3(crypto.FromECDSA(key), []byte(passphrase), n, p)
	if err != nil {
		return err
	}
	address := hex.EncodeToString(crypto.PubkeyToAddress(key.PublicKey).Bytes())
	text, err := json.Marshal(map[string]any{"address": address, "crypto": sealed, "id": uuid.NewString(), "version": 3})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, "UTC--2026-01-01T00-00-00.000000000Z--"+address), text, 0o600)
}
