package recipient

import (
	"errors"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
)

// Errors of a payment's segment credentials, in the deployed node's words.
var (
	errSegEncoding = errors.New("ErrorSegEncoding")
	errSegSig      = errors.New("ErrSegSig")
)

// checkSegment returns the segment credentials that sender signed.
func (r *Recipient) checkSegment(header string, sender common.Address) (*wire.SegData, error) {
	segment, err := wire.DecodeSegmentHeader(header)
	if err != nil {
		return nil, errors.Join(errSegEncoding, err)
	}
	if !new(pm.DefaultSigVerifier).Verify(sender, wire.SegmentMessage(segment), segment.GetSig()) {
		return nil, errSegSig
	}
	if err := r.authority.check(segment.GetAuthToken(), r.cfg.Now()); err != nil {
		return nil, err
	}
	if _, err := r.cfg.Economy.priceOf(segment.GetCapabilities()); err != nil {
		return nil, errIncompatible
	}
	return segment, nil
}
