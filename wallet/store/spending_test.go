package store

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/big"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/store/internal/db"
	"github.com/pmctl/pmctl/wallet/wei"
)

// ticketsOfABudget is how many tickets fit the budget of spendAll.
const ticketsOfABudget = 101

// limitsOf returns limits that allow exactly so many tickets.
func limitsOf(setting policy.Setting, tickets int64) (policy.Limits, error) {
	value := new(big.Rat).SetInt(params(1).FaceValue)
	if setting == policy.EVPerDay || setting == policy.RecipientEVPerDay {
		value = params(1).EV()
	}
	limit, err := wei.Ceil(value.Mul(value, big.NewRat(tickets, 1)))
	if err != nil {
		return policy.Limits{}, err
	}
	return policy.Default().With(policy.Rules{
		Values: policy.Values{setting: policy.AmountOf(limit)},
		Where:  func(policy.Setting) string { return "a test" },
	})
}

// spendAll makes tickets one by one until the budget is spent, and prints a line for each.
func spendAll(path string) int {
	s, err := Open(context.Background(), path)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer s.Close()
	limits, err := limitsOf(policy.EVPerDay, ticketsOfABudget)
	for err == nil {
		_, err = s.Chain(testChain).Reserve(context.Background(), Spend{
			Sender: common.Address{1}, Params: params(1), Count: 1, Allow: limits.CheckBudget, At: testDay,
		})
		if err == nil {
			fmt.Println("made")
		}
	}
	if !errors.Is(err, policy.ErrLimit) {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

var testDay = time.Date(2026, 11, 23, 23, 59, 59, 0, time.UTC)

// 16 processes that spend as fast as they can spend the whole budget, and no more.
func TestManyProcessesKeepTheBudget(t *testing.T) { onEach(t, manyProcessesKeepTheBudget) }

func manyProcessesKeepTheBudget(t *testing.T, place place) {
	path := place(t)
	var made int
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range 16 {
		cmd := child("spend", path)
		stdout, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		wg.Go(func() {
			lines := 0
			for scanner := bufio.NewScanner(stdout); scanner.Scan(); {
				lines++
			}
			if err := cmd.Wait(); err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			made += lines
		})
	}
	wg.Wait()
	require.Equal(t, ticketsOfABudget, made)
	spent, err := open(t, path).Chain(testChain).Spending(t.Context(), common.Address{1}, testDay)
	require.NoError(t, err)
	require.EqualValues(t, ticketsOfABudget, spent.All.Tickets)
	require.Equal(t, policy.Cost(ticketsOfABudget, params(1).EV(), params(1).FaceValue), spent.All)
}

func TestEveryBudgetHolds(t *testing.T) { onEach(t, everyBudgetHolds) }

func everyBudgetHolds(t *testing.T, place place) {
	for _, setting := range policy.Budgets() {
		t.Run(string(setting), func(t *testing.T) {
			c := open(t, place(t)).Chain(testChain)
			limits, err := limitsOf(setting, 10)
			require.NoError(t, err)
			spend := func(count uint32, at time.Time, recipient byte) error {
				p := params(recipient)
				p.Recipient = common.Address{recipient}
				_, err := c.Reserve(t.Context(), Spend{Sender: common.Address{1}, Params: p, Count: count, Allow: limits.CheckBudget, At: at})
				return err
			}
			require.NoError(t, spend(7, testDay, 1))
			require.ErrorIs(t, spend(4, testDay, 1), policy.ErrLimit)
			used, err := c.UsedNonces(t.Context(), params(1).RecipientRandHash)
			require.NoError(t, err)
			require.EqualValues(t, 7, used, "a refusal takes nothing")
			require.NoError(t, spend(3, testDay, 1))
			require.ErrorIs(t, spend(1, testDay, 1), policy.ErrLimit)
			if err := spend(1, testDay, 2); setting == policy.EVPerDay || setting == policy.FaceValuePerDay {
				require.ErrorIs(t, err, policy.ErrLimit, "a budget for all")
			} else {
				require.NoError(t, err, "a budget for each")
			}
			require.NoError(t, spend(10, testDay.Add(time.Second), 1), "a new day")
		})
	}
}

// Spending is booked although no budget is set, per chain and sender.
func TestSpendingIsBooked(t *testing.T) { onEach(t, spendingIsBooked) }

func spendingIsBooked(t *testing.T, place place) {
	s := open(t, place(t))
	c, me := s.Chain(testChain), common.Address{1}
	_, err := c.ReserveNonces(t.Context(), me, params(1), 3, 0)
	require.NoError(t, err)
	_, err = c.ReserveNonces(t.Context(), me, params(2), 4, 0)
	require.NoError(t, err)
	_, err = c.ReserveNonces(t.Context(), common.Address{2}, params(2), 4, 0)
	require.NoError(t, err)
	_, err = s.Chain(1).ReserveNonces(t.Context(), me, params(2), 4, 0)
	require.NoError(t, err)
	spent, err := c.Spending(t.Context(), me, time.Now())
	require.NoError(t, err)
	want := policy.Cost(7, params(1).EV(), params(1).FaceValue)
	require.True(t, want.Equal(spent.All))
	require.True(t, want.Equal(spent.Recipients[params(1).Recipient]))
	require.Len(t, spent.Recipients, 1)
}

// A booking that was changed in the database is detected before more is spent.
func TestSpendingThatDoesNotAddUp(t *testing.T) { onEach(t, spendingThatDoesNotAddUp) }

func spendingThatDoesNotAddUp(t *testing.T, place place) {
	for _, statement := range []string{
		`UPDATE spending SET ev = '1'`,
		`UPDATE spending SET face_value = 'x'`,
		`UPDATE spending_days SET ev = '1/0'`,
		`UPDATE spending_days SET tickets = 0`,
		`DELETE FROM spending`,
		`DELETE FROM spending_days`,
	} {
		s := open(t, place(t))
		reserve(t, s, params(1), 3)
		change(t, s, statement)
		_, err := s.Chain(testChain).ReserveNonces(t.Context(), common.Address{1}, params(1), 1, 0)
		require.ErrorIs(t, err, ErrDamaged, statement)
		_, err = s.Chain(testChain).Spending(t.Context(), common.Address{1}, time.Now())
		require.ErrorIs(t, err, ErrDamaged, statement)
	}
}

// An upgraded store has booked what it reserved that day.
func TestAnUpgradeBooksTheDay(t *testing.T) { onEach(t, anUpgradeBooksTheDay) }

func anUpgradeBooksTheDay(t *testing.T, place place) {
	s := open(t, place(t))
	reserve(t, s, params(1), 3)
	reserve(t, s, params(2), 2)
	err := s.write(t.Context(), func(tx *db.Tx) error {
		if err := tx.Exec(`DELETE FROM spending`); err != nil {
			return err
		}
		if err := tx.Exec(`DELETE FROM spending_days`); err != nil {
			return err
		}
		return bookReserved(tx, time.Now())
	})
	require.NoError(t, err)
	spent, err := s.Chain(testChain).Spending(t.Context(), common.Address{1}, time.Now())
	require.NoError(t, err)
	require.True(t, policy.Cost(5, params(1).EV(), params(1).FaceValue).Equal(spent.All))
}
