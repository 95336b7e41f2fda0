package wire

import (
	"encoding/hex"
	"fmt"
	"math"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/pmctl/pmctl/pm"
)

// NoProfiles is what the network's senders write instead of transcoding profiles
// when a payment comes without media. It is no sign of a fault.
const NoProfiles = "invalid"

// ExpiredTokenError is an auth token that the recipient no longer accepts.
type ExpiredTokenError struct {
	// Expired is when the token's life ended.
	Expired time.Time

	// Now is what the clock said, which may be wrong.
	Now time.Time
}

func (e *ExpiredTokenError) Error() string {
	return fmt.Sprintf("the recipient's auth token expired at %s, and this machine's clock says %s; fetch fresh ticket params",
		e.Expired.UTC().Format(time.RFC3339), e.Now.UTC().Format(time.RFC3339))
}

// Expires is when the token's life ends, in UTC. An end before the year 1 or after the year 9999, for
// which RFC 3339 has no text, counts as the nearest time within.
func (t *AuthToken) Expires() time.Time {
	first, last := time.Time{}, time.Date(9999, time.December, 31, 23, 59, 59, 0, time.UTC)
	return time.Unix(min(max(t.GetExpiration(), first.Unix()), last.Unix()), 0).UTC()
}

// Check fails with *MissingError for a token that nothing can be paid with, and with
// *ExpiredTokenError when it has expired at now.
func (t *AuthToken) Check(now time.Time) error {
	if t == nil {
		return &MissingError{"auth_token"}
	}
	if t.SessionId == "" {
		return &MissingError{"auth_token.session_id"}
	}
	if expired := t.Expires(); !now.Before(expired) {
		return &ExpiredTokenError{expired, now}
	}
	return nil
}

// PaymentCredentials returns the signed segment credentials of a payment without
// media: no data, no profiles, and the token's session as manifest, so that what is
// paid is credited where it is spent. capabilities are what is requested of the recipient, as
// Needs encodes it; nil is nothing. It fails as (*AuthToken).Check does, and with the
// signer's error.
func PaymentCredentials(signer pm.Signer, token *AuthToken, capabilities []byte, now time.Time) (*SegData, error) {
	if err := token.Check(now); err != nil {
		return nil, err
	}
	return Credentials(signer, token.SessionId, token, capabilities)
}

// Credentials returns what PaymentCredentials does for any manifest id, under which the
// recipient books the payment, and for any token.
func Credentials(signer pm.Signer, manifestID string, token *AuthToken, capabilities []byte) (*SegData, error) {
	segment := &SegData{
		ManifestId:   []byte(manifestID),
		Hash:         crypto.Keccak256(nil),
		Profiles:     []byte(NoProfiles),
		Capabilities: capabilities,
		AuthToken:    token,
	}
	sig, err := signer.Sign(SegmentMessage(segment))
	if err != nil {
		return nil, fmt.Errorf("sign the segment credentials: %w", err)
	}
	segment.Sig = sig
	return segment, nil
}

// SegmentMessage returns what a sender signs, as a personal message, for a segment:
// keccak256 of manifest id, sequence number as uint256, data hash, and the ids of the
// profiles as hex text, which are none in a payment without media.
func SegmentMessage(s *SegData) []byte {
	profiles := []byte(hex.EncodeToString(profileIDs(s)))
	seq := common.LeftPadBytes(new(big.Int).SetUint64(uint64(max(s.GetSeq(), 0))).Bytes(), uintBytes)
	return crypto.Keccak256(s.GetManifestId(), seq, s.GetHash(), profiles)
}

// profileIDs returns the ids of the profiles that count: the first four bytes of
// keccak256 of each one's name. Old senders write the ids themselves.
func profileIDs(s *SegData) []byte {
	const idBytes = 4
	for _, profiles := range [][]*VideoProfile{s.GetFullProfiles3(), s.GetFullProfiles2(), s.GetFullProfiles()} {
		if len(profiles) == 0 {
			continue
		}
		ids := make([]byte, 0, idBytes*len(profiles))
		for _, profile := range profiles {
			ids = append(ids, crypto.Keccak256([]byte(profile.GetName()))[:idBytes]...)
		}
		return ids
	}
	if string(s.GetProfiles()) == NoProfiles {
		return nil
	}
	return s.GetProfiles()
}

// Check fails with *FieldError for credentials whose fields have another width than
// the protocol's, and with *MissingError for absent ones.
func (s *SegData) Check() error {
	switch {
	case len(s.GetManifestId()) == 0:
		return &MissingError{"manifest_id"}
	case len(s.GetHash()) != hashBytes:
		return &FieldError{"hash", bytesText(s.GetHash()), "32 bytes"}
	case len(s.GetSig()) != sigBytes:
		return &FieldError{"sig", bytesText(s.GetSig()), "65 bytes"}
	case s.GetSeq() < 0:
		return &FieldError{"seq", fmt.Sprint(s.Seq), fmt.Sprintf("0 to %d", int64(math.MaxInt64))}
	}
	return nil
}
