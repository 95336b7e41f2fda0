package keystore

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/big"
	"strings"
	"sync"
	"testing"

	"github.com/ethereum/go-ethereum/accounts"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/pm"
)

var _ pm.Signer = (*Signer)(nil)

// rawKey is a key that the documentation of other libraries signs with.
const (
	rawKey     = "4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318"
	rawAddress = "0x2c7536E3605D9C16a7a3D7b1898e529396a65c23"
)

func rawSigner(t *testing.T) *Signer {
	t.Helper()
	signer, err := NewRawSigner([]byte(rawKey))
	require.NoError(t, err)
	t.Cleanup(signer.Close)
	return signer
}

func TestSignMatchesOtherLibraries(t *testing.T) {
	signature, err := rawSigner(t).Sign([]byte("Some data"))
	require.NoError(t, err)
	require.Equal(t, "b91467e570a6466aa9e9876cbcd013baba02900b8979d43fe208a4a4f339f5fd"+
		"6007e74cd82e037b800186422fc2da167c747ef045e5d18a5f5d4300f8e1a029"+"1c", hex.EncodeToString(signature))
}

func TestSignaturesRecoverToTheSigner(t *testing.T) {
	signer := rawSigner(t)
	half := new(big.Int).Rsh(crypto.S256().Params().N, 1)
	seen := map[byte]bool{}
	for i := range 64 {
		msg := []byte(strings.Repeat("m", i))
		signature, err := signer.Sign(msg)
		require.NoError(t, err)
		require.Len(t, signature, 65)
		require.LessOrEqual(t, new(big.Int).SetBytes(signature[32:64]).Cmp(half), 0, "low S")
		seen[signature[64]] = true
		signature[64] -= 27
		key, err := crypto.SigToPub(accounts.TextHash(msg), signature)
		require.NoError(t, err)
		require.Equal(t, signer.Address(), crypto.PubkeyToAddress(*key))
	}
	require.Equal(t, map[byte]bool{27: true, 28: true}, seen)
}

func TestNewRawSigner(t *testing.T) {
	for _, text := range []string{rawKey, "0x" + rawKey, "0X" + strings.ToUpper(rawKey), "  " + rawKey + "\r\n"} {
		signer, err := NewRawSigner([]byte(text))
		require.NoError(t, err)
		require.Equal(t, rawAddress, signer.Address().Hex())
		require.Equal(t, accounts.Account{Address: common.HexToAddress(rawAddress)}, signer.Account())
	}
	order := hex.EncodeToString(crypto.S256().Params().N.Bytes())
	for _, text := range []string{"", "0x", rawKey[1:], rawKey + "0", "0x0x" + rawKey, "z" + rawKey[1:], strings.Repeat("0", 64), order, rawKey[:32] + " " + rawKey[32:]} {
		_, err := NewRawSigner([]byte(text))
		require.ErrorIs(t, err, ErrBadKey, text)
		require.NotContains(t, err.Error(), rawKey[32:40], "the error tells nothing of the key")
	}
}

func TestSignTx(t *testing.T) {
	signer := rawSigner(t)
	to := common.HexToAddress(rawAddress)
	chain := big.NewInt(42161)
	for _, data := range []types.TxData{
		&types.LegacyTx{To: &to, Gas: 21000, GasPrice: big.NewInt(1), Value: big.NewInt(1)},
		&types.DynamicFeeTx{ChainID: chain, To: &to, Gas: 21000, GasFeeCap: big.NewInt(1), GasTipCap: big.NewInt(1), Value: big.NewInt(1)},
	} {
		tx, err := signer.SignTx(types.NewTx(data), chain)
		require.NoError(t, err)
		require.Equal(t, chain, tx.ChainId(), "no signature is valid on another chain")
		sender, err := types.Sender(types.LatestSignerForChainID(chain), tx)
		require.NoError(t, err)
		require.Equal(t, signer.Address(), sender)
		for _, none := range []*big.Int{nil, new(big.Int), big.NewInt(-1)} {
			_, err := signer.SignTx(types.NewTx(data), none)
			require.ErrorIs(t, err, ErrNoChainID)
		}
	}
	_, err := signer.SignTx(types.NewTx(&types.DynamicFeeTx{ChainID: big.NewInt(1), To: &to}), chain)
	require.ErrorIs(t, err, types.ErrInvalidChainId)
}

func TestClosedSignerSignsNothing(t *testing.T) {
	signer, err := NewRawSigner([]byte(rawKey))
	require.NoError(t, err)
	key := signer.key
	signer.Close()
	signer.Close()
	require.Equal(t, make([]byte, keySize), crypto.FromECDSA(key), "the key is overwritten")
	_, err = signer.Sign([]byte("m"))
	require.ErrorIs(t, err, ErrClosed)
	_, err = signer.SignTx(types.NewTx(&types.LegacyTx{}), big.NewInt(1))
	require.ErrorIs(t, err, ErrClosed)
	_, err = signer.RawKey()
	require.ErrorIs(t, err, ErrClosed)
	_, err = signer.KeyFile([]byte("secret"), Light)
	require.ErrorIs(t, err, ErrClosed)
	require.Equal(t, rawAddress, signer.Address().Hex(), "the address is still known")
}

func TestSignWhileClosing(t *testing.T) {
	signer, err := NewRawSigner([]byte(rawKey))
	require.NoError(t, err)
	want, err := signer.Sign([]byte("m"))
	require.NoError(t, err)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for {
				got, err := signer.Sign([]byte("m"))
				if err != nil {
					require.ErrorIs(t, err, ErrClosed)
					return
				}
				// A key that is half overwritten would sign something else.
				if !assertEqual(t, want, got) {
					return
				}
			}
		})
	}
	signer.Close()
	group.Wait()
}

func assertEqual(t *testing.T, want, got []byte) bool {
	if string(want) != string(got) {
		t.Errorf("signature %x, want %x", got, want)
		return false
	}
	return true
}

func TestSignerNeverPrintsItsKey(t *testing.T) {
	signer := rawSigner(t)
	var out strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%p"} {
		fmt.Fprintf(&out, verb+"\n", signer)
		fmt.Fprintf(&out, verb+"\n", struct{ S *Signer }{signer})
	}
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "signer", signer)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "signer", signer)
	data, err := json.Marshal(map[string]any{"signer": signer})
	require.NoError(t, err)
	out.Write(data)
	text := strings.ToLower(out.String())
	require.NotContains(t, text, rawKey[:12])
	decimal, ok := new(big.Int).SetString(rawKey, 16)
	require.True(t, ok)
	require.NotContains(t, text, decimal.String()[:12])
	require.Contains(t, out.String(), rawAddress)
}

func TestKeyFileRoundTrip(t *testing.T) {
	signer := rawSigner(t)
	data, err := signer.KeyFile([]byte("pässphrase"), Light)
	require.NoError(t, err)
	again, err := UnlockJSON(t.Context(), data, say("pässphrase"))
	require.NoError(t, err)
	defer again.Close()
	key, err := again.RawKey()
	require.NoError(t, err)
	require.Equal(t, rawKey, string(key))
	_, err = signer.KeyFile(nil, Light)
	require.ErrorIs(t, err, ErrEmptyPassphrase)
}

func BenchmarkSign(b *testing.B) {
	signer, err := NewRawSigner([]byte(rawKey))
	require.NoError(b, err)
	msg := make([]byte, 32)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := signer.Sign(msg); err != nil {
			b.Fatal(err)
		}
	}
}
