package cli

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/wallet"
)

// RequestOption names what is asked for, so that a retry is no second request.
type RequestOption struct{ ID string }

// Register adds the flags to a command.
func (o *RequestOption) Register(cmd *cobra.Command, what string) {
	cmd.Flags().StringVar(&o.ID, "request-id", "", "`ID` of your own for "+what+": run again with the same id, nothing is made twice")
}

// maxRequestID is the longest id in bytes.
const maxRequestID = 128

// Request returns the request for a command's arguments, nil when it has no id.
func (o *RequestOption) Request(cmd *cobra.Command, arguments ...string) (*wallet.Request, error) {
	if !cmd.Flags().Changed("request-id") {
		return nil, nil
	}
	plain := func(r rune) bool { return !unicode.IsGraphic(r) || r == unicode.ReplacementChar }
	if o.ID == "" || len(o.ID) > maxRequestID || strings.ContainsFunc(o.ID, plain) {
		return nil, Usagef("--request-id: an id has 1 to %d bytes of printable characters", maxRequestID)
	}
	return &wallet.Request{ID: o.ID, Digest: DigestOf(arguments...)}, nil
}

// DigestOf tells a command's arguments from others.
func DigestOf(arguments ...string) string {
	digest := sha256.Sum256([]byte(strings.Join(arguments, "\n")))
	return hex.EncodeToString(digest[:])
}
