package remote

import (
	"encoding/json"
	"fmt"
	"math/big"
	"time"

	"github.com/pmctl/pmctl/wallet/live"
	"github.com/pmctl/pmctl/wallet/store"
)

// eventType is what a usage event is about.
const eventType = "create_signed_ticket"

// Event is a CloudEvent 1.0, in its structured JSON. The data of one about a payment is Usage.
type Event struct {
	SpecVersion string    `json:"specversion"`
	ID          string    `json:"id"`
	Source      string    `json:"source"`
	Type        string    `json:"type"`
	Subject     string    `json:"subject,omitempty"`
	Time        time.Time `json:"time"`
	ContentType string    `json:"datacontenttype"`
	Data        any       `json:"data"`
}

// Usage is what an event says of a payment. Its names are those that collectors of the deployed
// signer's events read; amounts are in wei, fractions exact.
type Usage struct {
	SessionID        string `json:"session_id"`
	App              string `json:"app"`
	Pipeline         string `json:"pipeline"`
	RequestID        string `json:"request_id"`
	OrchAddress      string `json:"orch_address"`
	OrchURL          string `json:"orch_url"`
	ManifestID       string `json:"manifest_id"`
	PMSessionID      string `json:"pm_session_id"`
	CurrentTime      string `json:"current_time"`
	CurrentTimeUnix  int64  `json:"current_time_unix"`
	PreviousTime     string `json:"previous_time"`
	PreviousTimeUnix int64  `json:"previous_time_unix"`
	BillableSecs     string `json:"billable_secs"`
	Pixels           int64  `json:"pixels"`
	SessionBalance   string `json:"session_balance"`
	ComputedFee      string `json:"computed_fee"`
	Cost             string `json:"cost"`
	SequenceNumber   uint64 `json:"sequence_number"`
	NumTickets       uint32 `json:"num_tickets"`
	AuthID           string `json:"auth_id"`
}

// usage returns the event about a payment that a request asks for.
func (p *Payer) usage(r *Request) func(*store.LivePayment, *live.Bill, *live.Session) ([]byte, error) {
	return func(made *store.LivePayment, bill *live.Bill, before *live.Session) ([]byte, error) {
		at := made.Session.LastUpdate
		data := Usage{
			SessionID: made.Session.StateID, App: r.App, Pipeline: string(r.Type), RequestID: r.ID,
			OrchAddress: made.Session.OrchestratorAddress.Hex(), OrchURL: r.info.Transcoder, ManifestID: made.ManifestID,
			PMSessionID: made.RecipientRandHash.Hex(), CurrentTime: at.Format(time.RFC3339Nano), CurrentTimeUnix: at.Unix(),
			BillableSecs: new(big.Rat).SetFrac64(int64(bill.Billed), int64(time.Second)).RatString(), Pixels: bill.Units,
			SessionBalance: made.Session.Balance.RatString(), ComputedFee: bill.Fee.RatString(), Cost: bill.Paid().RatString(),
			SequenceNumber: made.Session.SequenceNumber, NumTickets: bill.Tickets, AuthID: made.Session.AuthID,
		}
		if before != nil && !before.LastUpdate.IsZero() {
			data.PreviousTime, data.PreviousTimeUnix = before.LastUpdate.Format(time.RFC3339Nano), before.LastUpdate.Unix()
		}
		return json.Marshal(Event{
			SpecVersion: "1.0", ID: fmt.Sprint(made.Position), Source: p.Source, Type: eventType,
			Subject: made.Session.AuthID, Time: at, ContentType: "application/json", Data: data,
		})
	}
}
