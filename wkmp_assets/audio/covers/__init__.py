"""The covers of one file: pictures inside it or beside it, made small enough and kept in the state folder."""
