package call

import "context"

// endsWith is a use of a session until done is closed.
func endsWith(done <-chan struct{}) func(context.Context, Session) error {
	return func(ctx context.Context, _ Session) error {
		select {
		case <-done:
		case <-ctx.Done():
		}
		return nil
	}
}
