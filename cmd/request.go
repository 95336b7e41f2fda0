package cmd

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/wallet/store"
)

// requestOption names what is asked for, so that a retry is no second request.
type requestOption struct{ id string }

func (o *requestOption) register(cmd *cobra.Command, what string) {
	cmd.Flags().StringVar(&o.id, "request-id", "", "`ID` of your own for "+what+": run again with the same id, nothing is made twice")
}

// maxRequestID is the longest id in bytes.
const maxRequestID = 128

// request returns the request for a command's arguments, nil when it has no id.
func (o *requestOption) request(cmd *cobra.Command, arguments ...string) (*store.Request, error) {
	if !cmd.Flags().Changed("request-id") {
		return nil, nil
	}
	plain := func(r rune) bool { return !unicode.IsGraphic(r) || r == unicode.ReplacementChar }
	if o.id == "" || len(o.id) > maxRequestID || strings.ContainsFunc(o.id, plain) {
		return nil, usagef("--request-id: an id has 1 to %d bytes of printable characters", maxRequestID)
	}
	return &store.Request{ID: o.id, Digest: digestOf(arguments...)}, nil
}

// digestOf tells a command's arguments from others.
func digestOf(arguments ...string) string {
	digest := sha256.Sum256([]byte(strings.Join(arguments, "\n")))
	return hex.EncodeToString(digest[:])
}
