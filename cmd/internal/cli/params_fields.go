package cli

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/page"
	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/check"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/wei"
)

// ParamsFields is params for a person to read. What a stranger wrote is quoted, so that
// it cannot do anything to the terminal.
func ParamsFields(params *format.Params, ticketParams *pm.TicketParams) []page.Field {
	payAt := params.Transcoder
	if payAt == params.URL {
		payAt = ""
	}
	fields := []page.Field{
		{"recipient", ticketParams.Recipient.Hex()},
		{"url", format.PlainText(params.URL)},
		{"pay at", format.PlainText(payAt)},
		{"for work", format.PlainText(strings.Join(params.Works, ", "))},
		{"ticket EV", wei.Format(ticketParams.EV())},
		{"face value", wei.Format(new(big.Rat).SetInt(ticketParams.FaceValue))},
		{"wins", OneIn(ticketParams.WinProbRat())},
		{"price", wei.Format(ticketParams.PricePerPixel) + " per pixel"},
		{"expires at", fmt.Sprintf("L1 block %v", ticketParams.ExpirationBlock)},
		{"for sender", common.Address(params.Sender).Hex()},
		{"fetched at", params.FetchedAt.Format(time.RFC3339)},
	}
	if params.AuthToken == nil {
		return append(fields, page.Field{"session", "none: these params cannot be paid on over HTTP"})
	}
	return append(fields, SessionFields(params.AuthToken)...)
}

// SessionFields are a recipient's session, for a person; none for params without one.
func SessionFields(token *format.AuthToken) []page.Field {
	if token == nil {
		return nil
	}
	return []page.Field{
		{"session", format.PlainText(token.SessionID)},
		{"session ends", time.Unix(int64(token.Expiration), 0).UTC().Format(time.RFC3339)},
	}
}

// writeWorkPrices prints what works cost, those that were asked for where there are such.
func writeWorkPrices(w *page.Page, params *format.Params) {
	var rows [][]string
	for _, price := range params.WorkPrices {
		work := price.Pipeline
		if price.Model != "" {
			work += "/" + price.Model
		}
		if len(params.Works) > 0 && !slices.Contains(params.Works, work) {
			continue
		}
		perPixel := big.NewRat(int64(price.PricePerUnit), int64(price.PixelsPerUnit))
		rows = append(rows, []string{format.PlainText(work), wei.Format(perPixel) + " per pixel"})
	}
	if rows == nil {
		return
	}
	w.Print("\n")
	w.Table([]page.Column{page.Text("work"), page.Number("price")}, rows)
}

// OneIn says how often something of a probability happens.
func OneIn(probability *big.Rat) string {
	if probability.Sign() == 0 {
		return "never"
	}
	odds := new(big.Rat).Inv(probability)
	text := strings.TrimSuffix(odds.FloatString(2), ".00")
	if exact, ok := new(big.Rat).SetString(text); ok && exact.Cmp(odds) != 0 {
		return "about 1 in " + text
	}
	return "1 in " + text
}

// Judgement is what pmctl params show answers in JSON.
type Judgement struct {
	Recipient format.Address `json:"recipient"`
	Sender    format.Address `json:"sender"`
	format.TicketEV
	FaceValue       string        `json:"face_value"`
	ExpirationBlock format.BigNum `json:"expiration_block"`

	Works      []string           `json:"works,omitempty"`
	WorkPrices []format.WorkPrice `json:"capabilities_prices,omitempty"`

	Checks []check.Finding `json:"checks"`
}

// verdictOf is how a check of params went, for people.
func verdictOf(state check.State) string {
	switch state {
	case check.Failed:
		return "refused"
	case check.Skipped:
		return "not checked"
	}
	return string(state)
}

// NewJudgement is how ticket params fare, as documents have it.
func NewJudgement(judged *wallet.Judged) Judgement {
	params, ticketParams := judged.Document, judged.Params
	return Judgement{
		Recipient:       format.Address(ticketParams.Recipient),
		Sender:          params.Sender,
		TicketEV:        format.NewTicketEV(ticketParams.EV()),
		FaceValue:       ticketParams.FaceValue.String(),
		ExpirationBlock: format.NewBigNum(ticketParams.ExpirationBlock),
		Works:           params.Works,
		WorkPrices:      params.WorkPrices,
		Checks:          judged.Findings,
	}
}

// WriteParams prints params and how they fare, without the fields that the reader has seen.
func WriteParams(w *page.Page, judged *wallet.Judged, seen ...page.Field) {
	fields := slices.DeleteFunc(ParamsFields(judged.Document, judged.Params), func(f page.Field) bool { return slices.Contains(seen, f) })
	w.Fields(fields)
	writeWorkPrices(w, judged.Document)
	rows := make([][]string, len(judged.Findings))
	for i, f := range judged.Findings {
		rows[i] = []string{f.ID, Verdict(w.Colours, f.State, verdictOf(f.State)), f.Found}
	}
	w.Print("\n")
	w.Table([]page.Column{page.Text("check"), page.Text("verdict"), page.Prose("found")}, rows)
}

// NonceRange is tickets' nonces for a person: nonce 4, or nonces 4 to 7.
func NonceRange(t *pay.Tickets) string {
	if t.Nonces.Count == 1 {
		return fmt.Sprintf("nonce %d", t.Nonces.First)
	}
	return fmt.Sprintf("nonces %d to %d", t.Nonces.First, t.Nonces.Last())
}

// Overpays is by how much tickets exceed the value that was asked for.
func Overpays(over *big.Rat) string {
	if one := big.NewRat(1, 1); over.Sign() > 0 && over.Cmp(one) < 0 {
		return "less than 1 wei"
	}
	return wei.Format(over)
}
