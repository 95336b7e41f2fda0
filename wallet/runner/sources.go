package runner

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/pmctl/pmctl/internal/input"
	"github.com/pmctl/pmctl/internal/transport"
	"github.com/pmctl/pmctl/wallet/pay"
)

const (
	// maxCandidates is as long as a list of orchestrators may be, in bytes.
	maxCandidates = 1 << 20

	// webhookPatience is how long a webhook may take.
	webhookPatience = 10 * time.Second
)

// File reads candidates from a file with a URL on each line, anew in each round. Empty lines and
// lines that begin with # are skipped.
func File(path string) func(context.Context) ([]Candidate, error) {
	return func(ctx context.Context) ([]Candidate, error) {
		file, err := input.Open(ctx, path)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		text, err := input.ReadAll(file, maxCandidates)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		var candidates []Candidate
		number := 0
		for line := range strings.Lines(string(text)) {
			number++
			line = strings.TrimSpace(line)
			if line == "" || strings.HasPrefix(line, "#") {
				continue
			}
			u, err := pay.ParseURL(line)
			if err != nil {
				// The line is not shown: the file may be another one, such as one with a passphrase.
				return nil, fmt.Errorf("line %d of %s: %w; write it as https://host:8935", number, path, pay.ErrURL)
			}
			candidates = append(candidates, Candidate{u, 1})
		}
		return candidates, nil
	}
}

// noList is the error of an orchestrator webhook that gave no list. It does not have the webhook's URL,
// which may be secret.
func noList(why error) error { return fmt.Errorf("orchestrator webhook: %w", why) }

// Webhook asks a webhook for candidates, as go-livepeer's -orchWebhookUrl: it answers with a JSON
// array of {"address": URL, "score": number}. Entries that cannot be used are left out. A nil client is
// one of its own, which follows no redirect.
func Webhook(url string, headers http.Header, client *http.Client) func(context.Context) ([]Candidate, error) {
	client = cmp.Or(client, &http.Client{Transport: transport.New(), CheckRedirect: transport.NoRedirect})
	return func(ctx context.Context) ([]Candidate, error) {
		limited, cancel := within(ctx, webhookPatience)
		defer cancel()
		request, err := http.NewRequestWithContext(limited, http.MethodGet, url, nil)
		if err != nil {
			return nil, noList(errors.New("its URL is not valid"))
		}
		request.Header = headers.Clone()
		response, err := client.Do(request)
		if err != nil {
			return nil, noList(inTime(limited, err))
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return nil, noList(&StatusError{response.StatusCode, response.Status})
		}
		var listed []struct {
			Address string   `json:"address"`
			Score   *float64 `json:"score"`
		}
		text, err := readAll(limited, response.Body, maxCandidates)
		if err != nil {
			return nil, noList(fmt.Errorf("its answer cannot be read: %w", inTime(limited, err)))
		}
		if json.Unmarshal(text, &listed) != nil {
			return nil, noList(errors.New(`its answer is not a list of orchestrators: [{"address": URL, "score": NUMBER}, …]`))
		}
		var candidates []Candidate
		for _, l := range listed {
			u, err := pay.ParseURL(l.Address)
			if err != nil {
				continue
			}
			c := Candidate{u, 1}
			if l.Score != nil {
				c.Score = *l.Score
			}
			candidates = append(candidates, c)
		}
		return candidates, nil
	}
}
