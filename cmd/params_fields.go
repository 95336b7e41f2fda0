package cmd

import (
	"fmt"
	"io"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/wei"
)

// paramsFields is params for a person to read. What a stranger wrote is quoted, so that
// it cannot do anything to the terminal.
func paramsFields(params *format.Params, ticketParams *pm.TicketParams) []field {
	fields := []field{
		{"recipient", ticketParams.Recipient.Hex()},
		{"url", plainText(params.URL)},
	}
	if params.Transcoder != "" && params.Transcoder != params.URL {
		fields = append(fields, field{"pay at", plainText(params.Transcoder)})
	}
	if len(params.Works) > 0 {
		fields = append(fields, field{"for work", plainText(strings.Join(params.Works, ", "))})
	}
	fields = append(fields,
		field{"for sender", common.Address(params.Sender).Hex()},
		field{"fetched at", params.FetchedAt.Format(time.RFC3339)},
		field{"ticket EV", wei.Format(ticketParams.EV())},
		field{"face value", wei.Format(new(big.Rat).SetInt(ticketParams.FaceValue))},
		field{"wins", oneIn(ticketParams.WinProbRat())},
		field{"price", wei.Format(ticketParams.PricePerPixel) + " a pixel"},
		field{"expires at", fmt.Sprintf("L1 block %v", ticketParams.ExpirationBlock)},
	)
	if token := params.AuthToken; token != nil {
		fields = append(fields,
			field{"session", plainText(token.SessionID)},
			field{"session ends", time.Unix(int64(token.Expiration), 0).UTC().Format(time.RFC3339)},
		)
	} else {
		fields = append(fields, field{"session", "none: these params cannot be paid on over HTTP"})
	}
	return fields
}

// writeWorkPrices prints what works cost, those that were asked for where there are such.
func writeWorkPrices(w io.Writer, params *format.Params) error {
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
		rows = append(rows, []string{plainText(work), wei.Format(perPixel) + " a pixel"})
	}
	if rows == nil {
		return nil
	}
	if _, err := fmt.Fprintln(w); err != nil {
		return err
	}
	return writeTable(w, []string{"work", "price"}, rows)
}

// oneIn says how often something of a probability happens.
func oneIn(probability *big.Rat) string {
	if probability.Sign() == 0 {
		return "never"
	}
	odds := new(big.Rat).Inv(probability)
	text := odds.FloatString(2)
	if exact, ok := new(big.Rat).SetString(text); ok && exact.Cmp(odds) != 0 {
		text = "about " + text
	}
	return "one in " + text
}

// judgement is what pmctl params show answers in JSON.
type judgement struct {
	Recipient       format.Address `json:"recipient"`
	Sender          format.Address `json:"sender"`
	TicketEV        string         `json:"ticket_ev"`
	FaceValue       string         `json:"face_value"`
	ExpirationBlock string         `json:"expiration_block"`

	Works      []string           `json:"works,omitempty"`
	WorkPrices []format.WorkPrice `json:"capabilities_prices,omitempty"`

	Checks []checkResult `json:"checks"`
}

type checkResult struct {
	Check   string         `json:"check"`
	Verdict policy.Verdict `json:"verdict"`
	Detail  string         `json:"detail"`
}

func newJudgement(params *format.Params, ticketParams *pm.TicketParams, findings []policy.Finding) judgement {
	j := judgement{
		Recipient:       format.Address(ticketParams.Recipient),
		Sender:          params.Sender,
		TicketEV:        ticketParams.EV().RatString(),
		FaceValue:       ticketParams.FaceValue.String(),
		ExpirationBlock: ticketParams.ExpirationBlock.String(),
		Works:           params.Works,
		WorkPrices:      params.WorkPrices,
		Checks:          make([]checkResult, len(findings)),
	}
	for i, f := range findings {
		j.Checks[i] = checkResult(f)
	}
	return j
}

// writeParams prints params and how they fare.
func writeParams(w io.Writer, params *format.Params, ticketParams *pm.TicketParams, findings []policy.Finding) error {
	if err := writeFields(w, paramsFields(params, ticketParams)); err != nil {
		return err
	}
	if err := writeWorkPrices(w, params); err != nil {
		return err
	}
	rows := make([][]string, len(findings))
	for i, f := range findings {
		rows[i] = []string{f.Check, strings.ReplaceAll(string(f.Verdict), "_", " "), f.Detail}
	}
	if _, err := fmt.Fprintln(w); err != nil {
		return err
	}
	return writeTable(w, []string{"check", "verdict", "found"}, rows)
}
