package pgtest

import (
	"testing"
)

func TestServer(t *testing.T) {
	var s Server
	defer s.Stop()
	first, second := s.Database(t), s.Database(t)
	if first == second {
		t.Fatal("one database for two")
	}
	Exec(t, first, "CREATE TABLE kept (a INT)", "INSERT INTO kept VALUES (1)")
	for _, kill := range []bool{true, false} {
		s.Crash(t, kill)
		s.Start(t)
		Exec(t, first, "SELECT a FROM kept")
	}
	s.Crash(t, true)
	s.StartAsStandby(t)
	Exec(t, first, "SELECT 1 / pg_is_in_recovery()::int")
}
