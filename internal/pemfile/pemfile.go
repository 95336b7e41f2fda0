// Package pemfile reads files in PEM, whole or not at all.
package pemfile

import (
	"bytes"
	"encoding/pem"
	"errors"
)

// ErrDamaged is of a text with a block that cannot be read, as in a file that is being written.
var ErrDamaged = errors.New("a block in PEM is damaged or cut off")

// Blocks returns all blocks of a text. Text between them is ignored. It fails with ErrDamaged: the
// standard library skips such a block, and with it a certificate or a key that was meant to count.
func Blocks(text []byte) (blocks []*pem.Block, err error) {
	for rest := text; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		blocks = append(blocks, block)
	}
	if bytes.Count(text, []byte("-----BEGIN ")) != len(blocks) {
		return nil, ErrDamaged
	}
	return blocks, nil
}
