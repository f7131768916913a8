module toque/clients

go 1.24
