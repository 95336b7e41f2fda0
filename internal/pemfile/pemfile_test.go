package pemfile

import (
	"bytes"
	"encoding/pem"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestBlocks: a text that is cut off anywhere, or damaged, has no part that counts alone.
func TestBlocks(t *testing.T) {
	first := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: bytes.Repeat([]byte("a"), 100)})
	second := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: bytes.Repeat([]byte("b"), 100)})
	text := bytes.Join([][]byte{[]byte("the authority of clients\n"), first, []byte("\nsubject=old\n"), second}, nil)
	blocks, err := Blocks(text)
	require.NoError(t, err)
	require.Len(t, blocks, 2)
	begin := bytes.LastIndex(text, []byte("-----BEGIN ")) + len("-----BEGIN ")
	end := len(bytes.TrimSpace(text))
	for cut := begin; cut < end; cut++ {
		_, err := Blocks(text[:cut])
		require.ErrorIs(t, err, ErrDamaged, cut)
	}
	_, err = Blocks(bytes.Replace(text, []byte("YWFh"), []byte("YW-h"), 1)) // in the first one
	require.ErrorIs(t, err, ErrDamaged)
	blocks, err = Blocks([]byte("nothing"))
	require.NoError(t, err)
	require.Empty(t, blocks)
}
