package format

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/pmctl/pmctl/pm/wire"
)

// readDocuments returns what each document is, with its place, or what is wrong with it.
func readDocuments(r io.Reader) (found []string) {
	all := NewDocuments(r)
	for {
		d, lines, err := all.Next()
		if errors.Is(err, io.EOF) {
			return found
		}
		if err == nil {
			err = readTickets(d, lines, 2)
		}
		what := "bad"
		if err == nil {
			what = d.Form
		}
		found = append(found, fmt.Sprintf("%d@%d %s", all.Number, all.Line, what))
	}
}

func TestDocumentsOfEveryFormFollowOneAnother(t *testing.T) {
	whole := documents(t)
	whole[PaymentResult] = []byte(base64.StdEncoding.EncodeToString(paymentResult(t)) + "\n")
	for first, text := range whole {
		for second, more := range whole {
			for _, gap := range []string{"", "\n", " \r\n\n"} {
				input := slices.Concat(text, []byte(gap), more)
				line := bytes.Count(text, []byte("\n")) + strings.Count(gap, "\n") + 1
				want := []string{"1@1 " + first, fmt.Sprintf("2@%d %s", line, second)}
				require.Equal(t, want, readDocuments(iotest.HalfReader(bytes.NewReader(input))), "%s, %q, %s", first, gap, second)
			}
		}
	}
	joined := strings.TrimSpace(string(whole[JSON])) + strings.TrimSpace(string(whole[ParamsForm]))
	require.Equal(t, []string{"1@1 json", fmt.Sprintf("2@%d params", strings.Count(string(whole[JSON]), "\n"))}, readDocuments(strings.NewReader(joined)))
}

func TestOneBadDocumentLeavesTheOthersAlone(t *testing.T) {
	whole := documents(t)
	var line bytes.Buffer
	require.NoError(t, WriteLine(&line, KindParams, loadGolden(t).Payments[1].document(t)))
	good, payment, lines := line.String(), string(whole[Payment]), string(whole[NDJSON])
	header, tickets, _ := strings.Cut(lines, "\n")
	second, rest, _ := strings.Cut(tickets, "\n")
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"cut in a string":       {good[:40] + "\n" + good, []string{"1@1 bad", "2@2 params"}},
		"cut between fields":    {good[:strings.Index(good, `"url"`)] + "\n" + good, []string{"1@1 bad", "2@2 params"}},
		"an unknown field":      {strings.Replace(good, `"url"`, `"urn"`, 1) + good, []string{"1@1 bad", "2@2 params"}},
		"another kind":          {`{"kind":"pmctl.status","version":2}` + "\n" + good, []string{"1@1 bad", "2@2 params"}},
		"a document cut":        {string(whole[JSON][:300]) + "\n" + good, []string{"1@1 bad", fmt.Sprintf("2@%d params", bytes.Count(whole[JSON][:300], []byte("\n"))+2)}},
		"a damaged payment":     {payment[:60] + "\n" + payment, []string{"1@1 bad", "2@2 payment"}},
		"a ticket less":         {header + "\n" + rest + good, []string{"1@1 bad", "2@4 params"}},
		"no ticket":             {header + "\n" + good, []string{"1@1 bad", "2@2 params"}},
		"a ticket more":         {lines + second + "\n" + good, []string{"1@1 bad", "2@6 params"}},
		"a damaged ticket":      {header + "\n" + strings.Replace(tickets, `"nonce"`, `"monce"`, 1) + good, []string{"1@1 bad", "2@5 params"}},
		"one header twice":      {"Livepeer-Payment: " + payment + "livepeer-payment: " + payment, []string{"1@1 payment", "2@2 payment"}},
		"text that is none":     {good + "what is this\n" + good, []string{"1@1 params", "2@2 bad"}},
		"a header that is none": {good + "Cookie: secret\n" + good, []string{"1@1 params", "2@2 bad"}},
		"nothing":               {" \n\n", []string{"0@0 bad"}},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, readDocuments(strings.NewReader(c.text)))
		})
	}
	require.Equal(t, []string{"1@1 params", "1@1 bad"}, readDocuments(io.MultiReader(strings.NewReader(good), iotest.ErrReader(errors.New("lost")))))
}

func paymentResult(t testing.TB) []byte {
	info, err := loadGolden(t).Payments[1].document(t).Info()
	require.NoError(t, err)
	message, err := proto.Marshal(&wire.PaymentResult{Info: info})
	require.NoError(t, err)
	return message
}

func TestAnAnswerToAPaymentIsRead(t *testing.T) {
	message, want := paymentResult(t), loadGolden(t).Payments[1].document(t)
	for name, input := range map[string]string{
		"as the answer has it": string(message), "base64": base64.StdEncoding.EncodeToString(message) + "\n",
	} {
		d, err := Decode(strings.NewReader(input))
		require.NoError(t, err, name)
		require.Equal(t, PaymentResult, d.Form)
		require.Equal(t, want.Offer, d.Answer.Offer)
		params, err := d.Answer.TicketParams()
		require.NoError(t, err)
		require.Equal(t, common.Address(want.Offer.Recipient), params.Recipient)
		require.Equal(t, []string{"1@1 " + PaymentResult}, readDocuments(strings.NewReader(input)))
	}
	for _, bad := range [][]byte{message[:len(message)-1], []byte("\x82\x01\x00"), []byte("\x82")} {
		_, err := Decode(bytes.NewReader(bad))
		require.ErrorIs(t, err, ErrSyntax, "%q", bad)
	}
}
