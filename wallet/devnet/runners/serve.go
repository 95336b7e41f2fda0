package runners

import (
	"encoding/base64"
	"encoding/json"
	"net/http"

	"github.com/ethereum/go-ethereum/common"
	"google.golang.org/protobuf/proto"

	"github.com/pmctl/pmctl/pm/wire"
)

// PayerHeader names the sender of a request that is not paid yet.
const PayerHeader = "Livepeer-Payer-Address"

// maxBody is the most that the body of a request for a challenge may have, in bytes.
const maxBody = 1 << 16

// Handle adds the routes to a server.
func (s *Runners) Handle(mux *http.ServeMux) {
	mux.HandleFunc("GET /discovery", s.serveDiscovery)
	mux.HandleFunc("POST /refresh-payment", s.serveRefresh)
	mux.HandleFunc("POST /apps/{runner}/session", s.serveReserve)
	mux.HandleFunc("GET /apps/{runner}/session/{id}", s.serveControl)
	mux.HandleFunc("POST /apps/{runner}/session/{id}/payment", s.servePayment)
	mux.HandleFunc("POST /apps/{runner}/session/{id}/stop", s.serveStop)
	mux.HandleFunc("/apps/{runner}/session/{id}/app/{path...}", s.serveSessionApp)
	mux.HandleFunc("/apps/{runner}/app/{path...}", s.serveCall)
}

func (s *Runners) serveDiscovery(w http.ResponseWriter, req *http.Request) {
	s.mu.Lock()
	s.settle()
	all := make([]listing, len(s.runners))
	for i, r := range s.runners {
		all[i] = r.listed(s.cashier.BaseURL(req), s.used(r))
	}
	s.mu.Unlock()
	answerJSON(w, http.StatusOK, all)
}

// isUnpaid reports whether a request asks for a challenge.
func isUnpaid(req *http.Request) bool {
	return req.Header.Get(wire.PaymentHeader) == "" && req.Header.Get(wire.SegmentHeader) == ""
}

// serveChallenge answers a request that is not paid.
func (s *Runners) serveChallenge(w http.ResponseWriter, req *http.Request, r Runner) {
	payer := req.Header.Get(PayerHeader)
	if !common.IsHexAddress(payer) {
		answerError(w, http.StatusPaymentRequired, "invalid live runner payment signer address")
		return
	}
	base := s.cashier.BaseURL(req)
	info, err := s.cashier.Challenge(req.Context(), base, common.HexToAddress(payer), r.Price, "")
	if err != nil {
		Answer(w, err)
		return
	}
	paymentURL := base + "/apps/" + r.Name + "/session/" + info.GetAuthToken().GetSessionId() + "/payment"
	answerChallenge(w, http.StatusPaymentRequired, info, base, paymentURL)
}

// answerChallenge writes an offer with where its payments go.
func answerChallenge(w http.ResponseWriter, status int, info *wire.OrchestratorInfo, base, paymentURL string) {
	params, err := proto.Marshal(info)
	if err != nil {
		Answer(w, err)
		return
	}
	answerJSON(w, status, struct {
		Params       string `json:"payment_params"`
		Orchestrator string `json:"orchestrator"`
		ManifestID   string `json:"manifest_id"`
		PaymentURL   string `json:"payment_url"`
	}{base64.StdEncoding.EncodeToString(params), base, info.GetAuthToken().GetSessionId(), paymentURL})
}

// serveRefresh answers with a fresh offer for an open session.
func (s *Runners) serveRefresh(w http.ResponseWriter, req *http.Request) {
	var asked struct {
		Sender     string `json:"sender"`
		ManifestID string `json:"manifest_id"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, req.Body, maxBody)).Decode(&asked); err != nil || !common.IsHexAddress(asked.Sender) {
		answerError(w, http.StatusBadRequest, "invalid refresh payment request")
		return
	}
	sender := common.HexToAddress(asked.Sender)
	price, open := s.PriceFor(sender, asked.ManifestID)
	if !open {
		answerError(w, http.StatusConflict, "fixed price not found for session")
		return
	}
	base := s.cashier.BaseURL(req)
	info, err := s.cashier.Challenge(req.Context(), base, sender, price, asked.ManifestID)
	if err != nil {
		Answer(w, err)
		return
	}
	answerChallenge(w, http.StatusOK, info, base, base+"/payment")
}

// begin takes the payment that begins a session of a runner.
func (s *Runners) begin(req *http.Request, name string) (begun *session, err error) {
	_, err = s.cashier.Pay(req, func(p Payment) (int64, error) {
		var err error
		begun, err = s.reserve(name, p)
		return 0, err
	})
	if err == nil {
		err = s.charge(begun)
	}
	if err != nil && begun != nil {
		s.release(begun)
	}
	return begun, err
}

// beginPaid begins a session with a runner of a mode, or answers why there is none: a request without
// a payment gets a challenge.
func (s *Runners) beginPaid(w http.ResponseWriter, req *http.Request, mode Mode, otherwise string) *session {
	r, err := s.runner(req.PathValue("runner"))
	if err == nil && r.Mode != mode {
		err = refuse(http.StatusBadRequest, otherwise)
	}
	if err == nil && isUnpaid(req) {
		s.serveChallenge(w, req, r)
		return nil
	}
	var begun *session
	if err == nil {
		begun, err = s.begin(req, r.Name)
	}
	if err != nil {
		Answer(w, err)
		return nil
	}
	return begun
}

func (s *Runners) serveReserve(w http.ResponseWriter, req *http.Request) {
	begun := s.beginPaid(w, req, Persistent, "live runner is single-shot")
	if begun == nil {
		return
	}
	control := s.cashier.BaseURL(req) + "/apps/" + begun.runner.Name + "/session/" + begun.id
	answerJSON(w, http.StatusOK, struct {
		ID         string `json:"session_id"`
		AppURL     string `json:"app_url"`
		ControlURL string `json:"control_url"`
	}{begun.id, control + "/app", control})
}

// servePayment takes a payment for an open session.
func (s *Runners) servePayment(w http.ResponseWriter, req *http.Request) {
	of, err := s.open(req.PathValue("runner"), req.PathValue("id"))
	if err == nil && of.runner.Unit == Fixed {
		err = refuse(http.StatusConflict, "live runner session has a fixed price")
	}
	var info *wire.OrchestratorInfo
	if err == nil {
		info, err = s.cashier.Pay(req, func(p Payment) (int64, error) {
			if p.Manifest != of.id || p.Sender != of.sender {
				return 0, refuse(http.StatusForbidden, "mismatched session and payment manifest")
			}
			price, open := s.PriceFor(p.Sender, p.Manifest)
			if !open {
				return 0, refuse(http.StatusNotFound, "live runner session not found")
			}
			return price, nil
		})
	}
	if err != nil {
		Answer(w, err)
		return
	}
	AnswerPayment(w, info)
}

// AnswerPayment writes the result of a payment, which has a fresh offer.
func AnswerPayment(w http.ResponseWriter, info *wire.OrchestratorInfo) {
	body, err := proto.Marshal(&wire.PaymentResult{Info: info})
	if err != nil {
		Answer(w, err)
		return
	}
	_, _ = w.Write(body)
}

func (s *Runners) serveStop(w http.ResponseWriter, req *http.Request) {
	of, err := s.open(req.PathValue("runner"), req.PathValue("id"))
	if err != nil {
		Answer(w, err)
		return
	}
	s.stop(of)
	w.WriteHeader(http.StatusNoContent)
}

// serveControl answers with what is counted of an open session.
func (s *Runners) serveControl(w http.ResponseWriter, req *http.Request) {
	of, err := s.open(req.PathValue("runner"), req.PathValue("id"))
	if err != nil {
		Answer(w, err)
		return
	}
	s.mu.Lock()
	report := of.report(s.cashier.Credit(of.sender, of.id))
	s.mu.Unlock()
	answerJSON(w, http.StatusOK, report)
}
