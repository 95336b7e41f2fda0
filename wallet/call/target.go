package call

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/runner"
)

// ErrURL is returned for text that is not the URL of an app.
var ErrURL = hint.With(errors.New("not the URL of an app"),
	"write it as https://host:8935/apps/NAME/app or …/session; pmctl runner list shows the URLs of apps")

// Target is an app's URL.
type Target struct {
	// URL is where the request goes, Origin the orchestrator that it belongs to.
	URL    *url.URL
	Origin pay.URL
}

// ParseTarget parses an app's URL, as pmctl runner list shows it. It fails with ErrURL.
func ParseTarget(text string) (Target, error) {
	if strings.Contains(strings.SplitN(text, "?", 2)[0], "@") {
		return Target{}, fmt.Errorf("%w: it has a user name or password", ErrURL) // which is not repeated
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || strings.Contains(u.RawQuery, " ") { // which url.Parse lets pass, and would end the request's line
		return Target{}, fmt.Errorf("%w: %.80q", ErrURL, text)
	}
	origin, err := pay.ParseServiceURI((&url.URL{Scheme: u.Scheme, Host: u.Host}).String())
	if err != nil {
		return Target{}, fmt.Errorf("%w: %w", ErrURL, err)
	}
	return Target{u, origin}, nil
}

// text is the URL, "" for none.
func (t Target) text() string {
	if t.URL == nil {
		return ""
	}
	return t.URL.String()
}

// Sessions reports whether the URL is one at which sessions begin.
func (t Target) Sessions() bool {
	return t.URL != nil && strings.HasSuffix(strings.TrimSuffix(t.URL.Path, "/"), "/session")
}

// runner is the app's name in the URL: that after /apps/.
func (t Target) runner() string {
	_, rest, _ := strings.Cut(t.URL.Path, "/apps/")
	name, _, _ := strings.Cut(rest, "/")
	return name
}

// Among returns the runner of a list that the target is at, or below: the nearest of several.
func (t Target) Among(list []runner.Runner) (nearest runner.Runner, found bool) {
	longest := -1
	for _, one := range list {
		if length, within := t.within(one.URL); within && length > longest {
			nearest, longest = one, length
		}
	}
	return nearest, longest >= 0
}

// within reports whether a runner's URL is the target's, or that of a folder above it. The hosts
// are not compared: an orchestrator may have several names.
func (t Target) within(runner string) (length int, ok bool) {
	u, err := url.Parse(runner)
	if err != nil || u.Path == "" || t.URL == nil {
		return 0, false
	}
	folder := strings.TrimSuffix(u.Path, "/")
	return len(folder), t.URL.Path == folder || strings.HasPrefix(t.URL.Path, folder+"/")
}

// Recipient is the orchestrator, as payments name it.
func (t Target) Recipient() pay.Target { return pay.Target{URL: t.Origin} }
