package remote

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/pmctl/pmctl/wallet/runner"
)

// errNothingFound is returned while no orchestrator has answered so far.
var errNothingFound = errors.New("no orchestrator has answered so far")

// discover lists the orchestrators that have one of the capabilities asked for. The header Age
// is that of the oldest answer among them, in seconds.
func (s *Server) discover(rw http.ResponseWriter, r *http.Request, _ *Answered) error {
	query, err := queryOf(r)
	if err != nil {
		return err
	}
	listing, ok := s.Directory.List(query["caps"]...)
	if !ok {
		return &UnavailableError{Err: errNothingFound}
	}
	rw.Header().Set("Age", strconv.FormatInt(int64(listing.Oldest/time.Second), 10))
	respond(rw, http.StatusOK, listing.Orchestrators)
	return nil
}

// Directory is what Server needs of *runner.Directory.
type Directory interface {
	List(capabilities ...string) (*runner.Listing, bool)
}
