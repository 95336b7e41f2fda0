package db

import (
	"context"
	"database/sql/driver"
)

// maxPrepared bounds how many statements a connection keeps: the queries of a store are fewer.
const maxPrepared = 200

// preparing is a connector whose connections keep the statements that they have prepared: SQLite
// takes as long to prepare a statement as to run it.
type preparing struct{ driver.Connector }

// Connect implements driver.Connector.
func (p preparing) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := p.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &preparedConn{sqliteConn: c.(sqliteConn), idle: make(map[string]preparedStmt)}, nil
}

// sqliteConn is what database/sql uses of a connection to SQLite. Without a way to run a query at
// once it prepares each.
type sqliteConn interface {
	driver.Conn
	driver.ConnPrepareContext
	driver.ConnBeginTx
	driver.SessionResetter
	driver.Validator
}

type preparedConn struct {
	sqliteConn
	// idle are the statements that are not in use, by their text.
	idle map[string]preparedStmt
}

// PrepareContext implements driver.ConnPrepareContext.
func (c *preparedConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	if s, ok := c.idle[query]; ok {
		delete(c.idle, query)
		return s, nil
	}
	s, err := c.sqliteConn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	return preparedStmt{s.(sqliteStmt), c, query}, nil
}

// Close implements driver.Conn.
func (c *preparedConn) Close() error {
	for _, s := range c.idle {
		_ = s.sqliteStmt.Close() // the connection ends, too
	}
	return c.sqliteConn.Close()
}

type sqliteStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

type preparedStmt struct {
	sqliteStmt
	conn  *preparedConn
	query string
}

// Close implements driver.Stmt: the statement can be used again.
func (s preparedStmt) Close() error {
	if _, ok := s.conn.idle[s.query]; ok || len(s.conn.idle) == maxPrepared {
		return s.sqliteStmt.Close()
	}
	s.conn.idle[s.query] = s
	return nil
}
