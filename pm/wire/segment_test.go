package wire

import (
	"encoding/hex"
	"errors"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/accounts"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// TestMediaProfilesAreSigned checks the credentials of segments with media, which other senders
// make: the IDs of the newest profiles are signed.
func TestMediaProfilesAreSigned(t *testing.T) {
	seq := make([]byte, 32)
	seq[31] = 9
	id := func(name string) []byte { return crypto.Keccak256([]byte(name))[:4] }
	profiles := func(names ...string) (list []*VideoProfile) {
		for _, name := range names {
			list = append(list, &VideoProfile{Name: name})
		}
		return list
	}
	both := append(id("P720p"), id("P240p")...)
	for name, c := range map[string]struct {
		segment *SegData
		ids     []byte
	}{
		"newest":       {&SegData{FullProfiles3: profiles("P720p", "P240p"), FullProfiles2: profiles("a"), FullProfiles: profiles("b")}, both},
		"second":       {&SegData{FullProfiles2: profiles("P720p", "P240p"), FullProfiles: profiles("b")}, both},
		"oldest":       {&SegData{FullProfiles: profiles("P720p", "P240p")}, both},
		"ids, written": {&SegData{Profiles: both}, both},
		"no media":     {&SegData{}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			c.segment.ManifestId, c.segment.Seq, c.segment.Hash = []byte("m"), 9, crypto.Keccak256([]byte("media"))
			if c.segment.Profiles == nil {
				c.segment.Profiles = []byte(NoProfiles)
			}
			want := crypto.Keccak256([]byte("m"), seq, crypto.Keccak256([]byte("media")), []byte(hex.EncodeToString(c.ids)))
			require.Equal(t, want, SegmentMessage(c.segment))
		})
	}
}

// TestProfilesSurvive: unknown fields of a profile survive a round trip.
func TestProfilesSurvive(t *testing.T) {
	profile := protowire.AppendString(protowire.AppendTag(nil, 16, protowire.BytesType), "P720p")
	profile = protowire.AppendVarint(protowire.AppendTag(profile, 17, protowire.VarintType), 1280)
	raw := protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), []byte("m"))
	raw = protowire.AppendBytes(protowire.AppendTag(raw, 35, protowire.BytesType), profile)
	segment := new(SegData)
	require.NoError(t, proto.Unmarshal(raw, segment))
	require.Equal(t, "P720p", segment.GetFullProfiles3()[0].GetName())
	again, err := proto.Marshal(segment)
	require.NoError(t, err)
	require.Equal(t, raw, again)
}

func TestSegDataCheck(t *testing.T) {
	valid := func() *SegData {
		return &SegData{ManifestId: []byte("m"), Hash: make([]byte, 32), Sig: make([]byte, 65)}
	}
	require.NoError(t, valid().Check())
	var missing *MissingError
	require.ErrorAs(t, (*SegData)(nil).Check(), &missing)
	for field, spoil := range map[string]func(*SegData){
		"hash": func(s *SegData) { s.Hash = s.Hash[1:] },
		"sig":  func(s *SegData) { s.Sig = append(s.Sig, 0) },
		"seq":  func(s *SegData) { s.Seq = -1 },
	} {
		s := valid()
		spoil(s)
		var wrong *FieldError
		require.ErrorAs(t, s.Check(), &wrong)
		require.Equal(t, field, wrong.Field)
	}
	s := valid()
	s.ManifestId = nil
	require.ErrorAs(t, s.Check(), &missing)
	require.Equal(t, "manifest_id", missing.Field)
}

// refusing is a signer that does not sign.
type refusing struct{ err error }

func (refusing) Account() accounts.Account     { return accounts.Account{} }
func (r refusing) Sign([]byte) ([]byte, error) { return nil, r.err }

func TestNothingIsMadeWithoutSignature(t *testing.T) {
	locked := errors.New("the key is closed")
	token := &AuthToken{SessionId: "s", Expiration: 1001}
	segment, err := PaymentCredentials(refusing{locked}, token, nil, time.Unix(1000, 0))
	require.ErrorIs(t, err, locked)
	require.Nil(t, segment)
	request, err := NewOrchestratorRequest(refusing{locked})
	require.ErrorIs(t, err, locked)
	require.Nil(t, request)

	var expired *ExpiredTokenError
	_, err = PaymentCredentials(refusing{locked}, token, nil, time.Unix(1001, 0))
	require.ErrorAs(t, err, &expired, "an expired token is not signed for")
	require.ErrorContains(t, err, "expired at 1970-01-01T00:16:41Z, and this machine's clock says 1970-01-01T00:16:41Z; fetch fresh ticket params")
}
