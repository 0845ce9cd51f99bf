DROP TABLE committed;
