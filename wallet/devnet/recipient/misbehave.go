package recipient

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/math"

	"github.com/pmctl/pmctl/internal/duration"
	"github.com/pmctl/pmctl/pm/wire"
)

const (
	slowness     = 10 * time.Second
	garbageBytes = 256
	hugeBytes    = 16 << 20
)

// checkValue rejects a value that the fault cannot have.
func (f Fault) checkValue(value string) error {
	var err error
	switch {
	case value == "":
	case f == FaultSlow:
		_, err = duration.Parse(value)
	case f == FaultRefusePayment:
		var status int
		status, err = strconv.Atoi(value)
		if err == nil && (status < 400 || status > 599) {
			err = fmt.Errorf("HTTP status %d is not a refusal", status)
		}
	default:
		err = errors.New("it takes no value")
	}
	return err
}

// withFaults applies the faults of the connection to everything but the status.
func (r *Recipient) withFaults(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Path == "/status" || !r.misbehave(w, req) {
			next.ServeHTTP(w, req)
		}
	})
}

// misbehave reports whether it has answered the request.
func (r *Recipient) misbehave(w http.ResponseWriter, req *http.Request) bool {
	r.held.Add(1)
	defer r.held.Add(-1)
	if value, on := r.faults.has(FaultSlow); on {
		delay, err := duration.Parse(value)
		if err != nil {
			delay = slowness
		}
		select {
		case <-time.After(delay):
		case <-req.Context().Done():
			return true
		}
	}
	if _, on := r.faults.has(FaultHang); on {
		<-req.Context().Done()
		return true
	}
	if _, on := r.faults.has(FaultNotGRPC); on && isGRPC(req) {
		http.NotFound(w, req)
		return true
	}
	if _, on := r.faults.has(FaultGarbage); on {
		body := make([]byte, garbageBytes)
		_, _ = rand.Read(body)
		body[0] = 0xff // no protobuf message begins with it
		answer(w, req, body)
		return true
	}
	if _, on := r.faults.has(FaultHuge); on {
		answer(w, req, make([]byte, hugeBytes))
		return true
	}
	return false
}

// answer sends a body as a success.
func answer(w http.ResponseWriter, req *http.Request, body []byte) {
	if !isGRPC(req) {
		_, _ = w.Write(body)
		return
	}
	w.Header().Set("Content-Type", "application/grpc")
	w.Header().Set("Trailer", "Grpc-Status")
	_, _ = w.Write(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(body))))
	_, _ = w.Write(body)
	w.Header().Set("Grpc-Status", "0")
}

func isGRPC(req *http.Request) bool {
	return req.ProtoMajor == 2 && strings.HasPrefix(req.Header.Get("Content-Type"), "application/grpc")
}

// spoil applies the offer's faults to an answer.
func (r *Recipient) spoil(info *wire.OrchestratorInfo) {
	for _, fault := range Faults() {
		if _, on := r.faults.has(fault); on {
			fault.spoil(info, r.cfg.Time.LastSeenL1Block())
		}
	}
}

func (f Fault) spoil(info *wire.OrchestratorInfo, l1Block *big.Int) {
	switch f {
	case FaultNoParams:
		info.TicketParams = nil
	case FaultNoAuthToken:
		info.AuthToken = nil
	case FaultNoPrice:
		info.PriceInfo = nil
	case FaultPrivateTranscoder:
		info.Transcoder = "https://0.0.0.0:8935"
	}
	params := info.TicketParams
	if params == nil {
		return
	}
	switch f {
	case FaultOtherRecipient:
		other := common.BytesToAddress(params.Recipient)
		other[0] ^= 0xff
		params.Recipient = other.Bytes()
	case FaultExpired:
		params.ExpirationBlock = new(big.Int).Add(l1Block, common.Big1).Bytes()
	case FaultEVNotBelowFace:
		params.WinProb = math.MaxBig256.Bytes()
	case FaultFaceValueTooHigh:
		// A million ether, won so rarely that the EV is still about 1 gwei.
		params.FaceValue = math.BigPow(10, 24).Bytes()
		params.WinProb = new(big.Int).Quo(math.MaxBig256, math.BigPow(10, 15)).Bytes()
	case FaultLongInteger:
		params.FaceValue = append([]byte{1}, make([]byte, 32)...)
	case FaultShortAddress:
		params.Recipient = params.Recipient[1:]
	case FaultShortHash:
		params.RecipientRandHash = params.RecipientRandHash[1:]
	case FaultNoSeed:
		params.Seed = nil
	case FaultNoExpirationParams:
		params.ExpirationParams = nil
	}
}
