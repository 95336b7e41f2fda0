package delivery

import "time"

// WithTimeout bounds a request by less than a test can wait for.
func (e *Endpoint) WithTimeout(d time.Duration) *Endpoint {
	e.client.Timeout = d
	return e
}

// Wait is the pause after so many failures.
var Wait = wait
