package topup

import (
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/pmctl/pmctl/wallet/broker"
	"github.com/pmctl/pmctl/wallet/wei"
)

func amount(t testing.TB, text string) wei.Wei {
	t.Helper()
	w, err := wei.Parse(text)
	require.NoError(t, err)
	return w
}

// rules reads rules as a config file has them.
func rules(t testing.TB, texts map[string]string) Rules {
	t.Helper()
	all := map[string]string{"step": "0.1eth", "max_per_day": "10eth", "max_total": "100eth", "gas_kept": "0.01eth"}
	for key, text := range texts {
		all[key] = text
	}
	r, _, err := Read(all)
	require.NoError(t, err)
	return r
}

func TestDecide(t *testing.T) {
	t.Parallel()
	eth := func(text string) *wei.Wei {
		w := amount(t, text)
		return &w
	}
	for name, c := range map[string]struct {
		rules            map[string]string
		state            func(*State)
		deposit, reserve string
		reason           Reason
	}{
		"enough of both": {
			rules: map[string]string{"reserve": "1eth", "deposit": "1eth"},
		},
		"only the reserve is below its need, while the deposit is full": {
			rules:   map[string]string{"reserve_face_values": "2", "face_value": "0.02eth", "deposit": "0.5eth"},
			state:   func(s *State) { s.PoolSize = 30 }, // 2 · 0.02 · 30 = 1.2
			reserve: "0.2eth",
		},
		"a low-water rule that would not have moved: the runway is too short": {
			rules:   map[string]string{"deposit": "0.5eth", "deposit_days": "7"},
			state:   func(s *State) { s.Lasting = eth("1.25eth") },
			deposit: "0.3eth",
		},
		"more is promised than is available, which is above the low-water mark": {
			rules:   map[string]string{"deposit": "0.5eth", "deposit_promised": "true"},
			state:   func(s *State) { s.Promised = *eth("3.01eth") },
			deposit: "2.1eth",
		},
		"what is promised does not count unless the rules say so": {
			rules: map[string]string{"deposit": "0.5eth"},
			state: func(s *State) { s.Promised, s.Lasting = *eth("3eth"), eth("3eth") },
		},
		"no forecast": {
			rules: map[string]string{"deposit": "0.5eth", "deposit_days": "7"},
		},
		"a need that is a wei above what is there": {
			rules:   map[string]string{"deposit": "1.000000000000000001eth"},
			deposit: "0.1eth",
		},
		"both, and the reserve first within the ceiling": {
			rules:   map[string]string{"reserve": "2eth", "deposit": "2eth", "max_per_day": "1.49eth"},
			reserve: "1eth", deposit: "0.4eth", reason: MaxPerDay,
		},
		"what is left of the day's ceiling": {
			rules:   map[string]string{"deposit": "3eth", "max_per_day": "1eth"},
			state:   func(s *State) { s.MovedToday, s.MovedTotal = *eth("0.7eth"), *eth("9eth") },
			deposit: "0.3eth", reason: MaxPerDay,
		},
		"a ceiling that leaves less than a step": {
			rules:  map[string]string{"deposit": "3eth", "max_total": "10eth"},
			state:  func(s *State) { s.MovedTotal = *eth("9.95eth") },
			reason: MaxTotal,
		},
		"a ceiling that was lowered below what was moved": {
			rules:  map[string]string{"deposit": "3eth", "max_total": "1eth"},
			state:  func(s *State) { s.MovedTotal = *eth("9eth") },
			reason: MaxTotal,
		},
		"the gas that is kept": {
			rules:   map[string]string{"deposit": "3eth", "gas_kept": "0.55eth"},
			state:   func(s *State) { s.Balance = *eth("1eth") },
			deposit: "0.4eth", reason: Balance,
		},
		"less than the gas that is kept": {
			rules:  map[string]string{"deposit": "3eth"},
			state:  func(s *State) { s.Balance = *eth("1gwei") },
			reason: Balance,
		},
		"an unlock": {
			rules:  map[string]string{"deposit": "3eth"},
			state:  func(s *State) { s.Lock = broker.Unlocking },
			reason: Unlocking,
		},
		"an unlock that is over": {
			rules:  map[string]string{"deposit": "3eth"},
			state:  func(s *State) { s.Lock = broker.Unlocked },
			reason: Unlocking,
		},
		"a withdrawal": {
			rules:  map[string]string{"deposit": "3eth"},
			state:  func(s *State) { s.Lock, s.Withdrawn, s.Deposit, s.Reserve = broker.Empty, true, wei.Wei{}, wei.Wei{} },
			reason: Withdrawn,
		},
		"a sender that never had funds": {
			rules:   map[string]string{"deposit": "3eth"},
			state:   func(s *State) { s.Lock, s.Deposit, s.Reserve = broker.Empty, wei.Wei{}, wei.Wei{} },
			deposit: "3eth",
		},
		"a pool without recipients": {
			rules:   map[string]string{"reserve_face_values": "60", "face_value": "0.02eth"},
			reserve: "0.2eth",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := State{Balance: *eth("100eth"), Deposit: *eth("1eth"), Reserve: *eth("1eth"), Lock: broker.Locked}
			if c.state != nil {
				c.state(&s)
			}
			d, err := Decide(rules(t, c.rules), s)
			require.NoError(t, err)
			for text, got := range map[string]wei.Wei{c.deposit: d.AddDeposit, c.reserve: d.AddReserve} {
				if text != "" {
					require.Equal(t, amount(t, text), got)
				}
			}
			require.Equal(t, c.deposit != "" || c.reserve != "", d.Adds())
			require.Equal(t, c.deposit == "", d.AddDeposit.IsZero())
			require.Equal(t, c.reserve == "", d.AddReserve.IsZero())
			require.Equal(t, c.reason, d.Reason)
		})
	}
}

func TestANeedBeyondAllAmounts(t *testing.T) {
	t.Parallel()
	most, err := wei.FromBig(new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 256), big.NewInt(1)))
	require.NoError(t, err)
	_, err = Decide(Rules{Step: most, FaceValue: &most, ReserveFaceValues: 2}, State{})
	require.ErrorIs(t, err, wei.ErrRange)
	d, err := Decide(Rules{Step: most, Deposit: &most}, State{Balance: most, Lock: broker.Locked})
	require.NoError(t, err)
	require.Equal(t, most, d.AddDeposit)
}

// TestNoDecisionPassesABound draws rules and states of any size.
func TestNoDecisionPassesABound(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) wei.Wei { return wei.FromUint64(rapid.Uint64Range(0, 50).Draw(t, name)) }
		some := func(name string) *wei.Wei {
			w := draw(name)
			return &w
		}
		r := Rules{
			Reserve: some("reserve rule"), Deposit: some("deposit rule"), DepositDays: 1, DepositPromised: true,
			Step: wei.FromUint64(rapid.Uint64Range(1, 9).Draw(t, "step")), MaxPerDay: some("day"), MaxTotal: some("total"), GasKept: draw("gas"),
		}
		s := State{
			Balance: draw("balance"), Deposit: draw("deposit"), Reserve: draw("reserve"), Lock: broker.Locked,
			Lasting: some("lasting"), Promised: draw("promised"), MovedToday: draw("today"), MovedTotal: draw("ever"),
		}
		d, err := Decide(r, s)
		require.NoError(t, err)
		number := func(w wei.Wei) int64 { return w.Big().Int64() }
		sum := number(d.AddDeposit) + number(d.AddReserve)
		if sum > 0 {
			require.LessOrEqual(t, sum+number(s.MovedToday), number(*r.MaxPerDay))
			require.LessOrEqual(t, sum+number(s.MovedTotal), number(*r.MaxTotal))
			require.LessOrEqual(t, sum+number(r.GasKept), number(s.Balance))
			require.Zero(t, number(d.AddDeposit)%number(r.Step))
			require.Zero(t, number(d.AddReserve)%number(r.Step))
		}
		deposit, reserve := number(s.Deposit)+number(d.AddDeposit), number(s.Reserve)+number(d.AddReserve)
		enough := deposit >= max(number(*r.Deposit), number(*s.Lasting), number(s.Promised)) && reserve >= number(*r.Reserve)
		require.Equal(t, enough, d.Reason == "", "%+v", d)
		require.Less(t, number(d.AddReserve), max(1, number(d.NeedReserve)-number(s.Reserve)+number(r.Step)))
		require.Less(t, number(d.AddDeposit), max(1, number(d.NeedDeposit)-number(s.Deposit)+number(r.Step)))
	})
}

func TestRead(t *testing.T) {
	t.Parallel()
	full := map[string]string{"reserve": "1eth", "max_per_day": "1eth", "max_total": "5eth"}
	r, from, err := Read(map[string]string{"reserve": "2eth", "max_total": "9eth", "gas_kept": "0.001eth"}, map[string]string{"gas_kept": "1eth"}, full)
	require.NoError(t, err)
	require.Equal(t, amount(t, "2eth"), *r.Reserve, "the first file's")
	require.Equal(t, amount(t, "5eth"), *r.MaxTotal, "the tightest")
	require.Equal(t, amount(t, "1eth"), r.GasKept, "the tightest")
	require.Equal(t, map[string]int{"reserve": 0, "max_total": 2, "gas_kept": 1, "max_per_day": 2}, from)

	_, _, err = Read(nil, map[string]string{})
	require.ErrorIs(t, err, ErrNoRules)
	for says, change := range map[string]map[string]string{
		"max_per_day is not set":  {"max_per_day": ""},
		"max_total is not set":    {"max_total": ""},
		"no rule says":            {"reserve": ""},
		"belong together":         {"reserve_face_values": "2"},
		"must be more than 0":     {"reserve_face_values": "2", "face_value": "0eth"},
		"set reserve, ":           {"reserve": "0eth", "deposit": "0eth"},
		"more than max_per_day":   {"max_per_day": "0.005eth"},
		"more than max_total":     {"step": "0.6eth", "max_total": "0.5eth"},
		"step is 0":               {"step": "0wei"},
		"deposit_days":            {"deposit_days": "-1"},
		"deposit: amount has no":  {"deposit": "1"},
		"deposit_promised: strco": {"deposit_promised": "perhaps"},
	} {
		changed := map[string]string{}
		for _, texts := range []map[string]string{full, change} {
			for key, text := range texts {
				if changed[key] = text; text == "" {
					delete(changed, key)
				}
			}
		}
		_, _, err := Read(changed)
		require.ErrorContains(t, err, says)
	}
}
